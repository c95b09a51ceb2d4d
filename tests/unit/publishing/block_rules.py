"""Slack's rules for messages, from its Block Kit reference (docs.slack.dev/reference/block-kit), as a check."""

from __future__ import annotations

import re
from typing import Any

# Every < must open one of our own links; anything else Slack would read as a mention or a link.
_LINK = re.compile(r"<https?://[^\s<>|]+\|[A-Za-z]+>")
_PING = re.compile(r"@(here|channel|everyone)", re.IGNORECASE)


def broken_rules(message: dict[str, Any]) -> list[str]:
    """What Slack would refuse or misread in the message; empty for a good one."""
    found = [] if 1 <= _length(message["text"]) <= 4000 else ["text is empty or over 4000"]
    found += [] if 1 <= len(message["blocks"]) <= 50 else ["not 1 to 50 blocks"]
    for block in message["blocks"]:
        found += _block(block)
    return found + _markup(message["text"])


def _block(block: dict[str, Any]) -> list[str]:
    if block["type"] == "header":
        text = block["text"]
        fits = text["type"] == "plain_text" and 1 <= _length(text["text"]) <= 150
        return [] if fits else ["header is not plain text of 1 to 150"]
    if block["type"] == "section":
        return _mrkdwn(block["text"])
    if block["type"] == "context":
        few = [] if 1 <= len(block["elements"]) <= 10 else ["context has not 1 to 10 elements"]
        return few + [problem for element in block["elements"] for problem in _mrkdwn(element)]
    return [f"unexpected block {block['type']}"]


def _mrkdwn(text: dict[str, Any]) -> list[str]:
    found = [] if text["type"] == "mrkdwn" and text["verbatim"] is True else ["text would be parsed for names"]
    found += [] if 1 <= _length(text["text"]) <= 3000 else ["text is empty or over 3000"]
    return found + _markup(text["text"])


def _markup(text: str) -> list[str]:
    rest = _LINK.sub("", text)
    found = ["a bare < or >"] if "<" in rest or ">" in rest else []
    found += ["a ping"] if _PING.search(rest) else []
    found += ["an open code block"] if rest.count("```") % 2 else []
    found += ["a code block within a code block"] if rest.count("```") > 2 else []
    return found + (["a bare &"] if re.search(r"&(?!amp;|lt;|gt;)", rest) else [])


def _length(text: str) -> int:
    """Length as JavaScript counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2
