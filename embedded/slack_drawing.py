"""A Block Kit message drawn in a terminal, close to what a person sees in Slack."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

# mrkdwn: <url|label>, `code`, *bold*, _italic_ (docs.slack.dev, formatting message text).
_MARKUP = re.compile(r"<(?P<url>https?://[^|>]+)(?:\|(?P<label>[^>]*))?>|`(?P<code>[^`\n]+)`|\*(?P<bold>[^*\n]+)\*")


def drawn(message: Mapping[str, Any]) -> RenderableType:
    """The message in a frame, as from the app InService."""
    blocks = [_block(block) for block in message.get("blocks", ())]
    return Panel(
        Group(*(blocks or [Text(message.get("text", ""))])), title="InService  APP", title_align="left", width=100
    )


def _block(block: Mapping[str, Any]) -> RenderableType:
    if block["type"] == "header":
        return Padding(Text(block["text"]["text"], "bold"), (0, 0, 1, 0))
    if block["type"] == "context":
        words = Text("   ").join(_mrkdwn(element["text"]) for element in block["elements"])
        words.stylize("dim")
        return words
    if block["type"] == "divider":
        return Text("─" * 40, "dim")
    return Padding(_section(block["text"]["text"]), (0, 0, 1, 0))


def _section(text: str) -> RenderableType:
    """Slack's code blocks stand alone; everything between them is a paragraph."""
    pieces = [piece.strip("\n") for piece in text.split("```")]
    return Group(
        *(
            Padding(Text(html.unescape(piece), "yellow"), (0, 2)) if at % 2 else _mrkdwn(piece)
            for at, piece in enumerate(pieces)
            if piece.strip()
        )
    )


def _mrkdwn(text: str) -> Text:
    """Links, code and bold; a link shows its label, as in Slack, and leads there in terminals that can."""
    shown, behind = Text(), 0
    for found in _MARKUP.finditer(text):
        shown.append(html.unescape(text[behind : found.start()]))
        behind = found.end()
        if url := found["url"]:
            shown.append(html.unescape(found["label"] or url), f"underline blue link {html.unescape(url)}")
        elif found["code"]:
            shown.append(html.unescape(found["code"]), "red")
        else:
            shown.append(html.unescape(found["bold"]), "bold")
    return shown.append(html.unescape(text[behind:]))
