"""Text made safe for Slack: it can neither ping anyone nor break out of where it is put, and it fits."""

from __future__ import annotations

import re

from inservice.publishing.words import cleaned

# The three characters Slack gives a meaning (docs.slack.dev, "Formatting text for app surfaces": escaping text).
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# `<!here>` is dead once escaped. The bare words are parsed only where a client or `link_names` asks for it; a word
# joiner after the @ keeps them dead there too.
_PING = re.compile(r"@(?=here|channel|everyone|group)", re.IGNORECASE)
_WORD_JOINER, _ZERO_WIDTH_SPACE = "\u2060", "\u200b"


def line(text: str, limit: int) -> str:
    """One line of mrkdwn, at most `limit` characters long after escaping; it cannot open a code block."""
    return _escaped(_without_fences(" ".join(cleaned(text).split())), limit)


def code(text: str) -> str:
    """Inline code of at most 120 characters; a backtick inside becomes an apostrophe."""
    return f"`{line(text.replace('`', chr(39)), 116) or ' '}`"


def code_block(lines: list[str], limit: int) -> str:
    """A code block of at most `limit` characters: the lines share the room, and no run of backticks can end it."""
    room = (limit - len("```\n\n```")) // max(1, len(lines)) - 1
    return "```\n" + "\n".join(_fenced(text, room) for text in lines) + "\n```"


def link(url: str, label: str) -> str | None:
    """A mrkdwn link; None for what is not an http(s) address or is too long for one text object."""
    address = re.sub(r"[\s<>|`]", "", cleaned(url)).replace("@", "%40").replace("&", "&amp;")
    return f"<{address}|{label}>" if re.match(r"https?://", address) and len(address) <= 2900 else None


def _fenced(text: str, limit: int) -> str:
    flat = cleaned(text).replace("\n", " ").replace("\t", "  ")
    return _escaped(_without_fences(flat), limit)


def _without_fences(text: str) -> str:
    return re.sub("`(?=`)", "`" + _ZERO_WIDTH_SPACE, text)


def _escaped(text: str, limit: int) -> str:
    """Escapes, and cuts between characters, never inside an entity."""
    pieces: list[str] = []
    used = 0
    for character in _PING.sub("@" + _WORD_JOINER, text):
        piece = _ENTITIES.get(character, character)
        # Slack is a JavaScript house: a character beyond the BMP counts as two there, so it does here.
        used += len(piece) + (character > "\uffff")
        if used > limit - 1:
            return "".join(pieces) + "…"
        pieces.append(piece)
    return "".join(pieces)
