"""Draws a Block Kit message as HTML, close to what Slack shows, for pictures and for looking at a change."""

from __future__ import annotations

import html
import re
from typing import Any

_STYLE = """
body { margin: 0; padding: 16px; background: #fff; font: 15px/1.47 system-ui, sans-serif; color: #1d1c1d; }
main { max-width: 560px; }
b.app { font-weight: 800; }
.app i { font: 600 10px system-ui; background: #eee; padding: 1px 4px; }
h1 { font-size: 18px; line-height: 1.3; margin: 4px 0 8px; } p { margin: 0 0 8px; white-space: pre-wrap; }
pre { background: #f8f8f8; border: 1px solid #ddd; border-radius: 4px; padding: 8px; margin: 0 0 8px;
  white-space: pre-wrap; font: 12px/1.5 ui-monospace, monospace; }
code { background: #f8f8f8; border: 1px solid #ddd; border-radius: 3px; padding: 1px 3px; color: #b3123c;
  font: 12px ui-monospace, monospace; }
a { color: #1264a3; text-decoration: none; } .context { color: #616061; font-size: 13px; }
.context span { margin-right: 10px; }
"""


def drawn(message: dict[str, Any]) -> str:
    """A whole HTML document that shows the message."""
    body = "".join(_block(block) for block in message["blocks"])
    app = '<b class="app">InService <i>APP</i></b>'
    return f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><main>{app}{body}</main>"


def _block(block: dict[str, Any]) -> str:
    if block["type"] == "header":
        return f"<h1>{html.escape(block['text']['text'])}</h1>"
    if block["type"] == "context":
        elements = "".join(f"<span>{_mrkdwn(element['text'])}</span>" for element in block["elements"])
        return f'<p class="context">{elements}</p>'
    return _section(block["text"]["text"])


def _section(text: str) -> str:
    """Slack's code blocks stand alone; everything between them is a paragraph."""
    pieces = text.split("```")
    shown = [
        f"<pre>{_plain(piece.strip(chr(10)))}</pre>" if at % 2 else _paragraph(piece) for at, piece in enumerate(pieces)
    ]
    return "".join(shown)


def _paragraph(text: str) -> str:
    return f"<p>{_mrkdwn(text)}</p>" if text.strip() else ""


def _mrkdwn(text: str) -> str:
    """Links, bold and inline code, which is all the messages use."""
    shown = re.sub(r"<(https?://[^|>]+)\|([^>]+)>", lambda link: f"\0{_plain(link[1])}\1{_plain(link[2])}\2", text)
    shown = _plain(shown)
    shown = re.sub("\0([^\1]*)\1([^\2]*)\2", r'<a href="\1">\2</a>', shown)
    shown = re.sub(r"`([^`]+)`", r"<code>\1</code>", shown)
    return re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", shown)


def _plain(text: str) -> str:
    """Slack's three entities are read back before HTML's own escaping."""
    return html.escape(html.unescape(text), quote=True)
