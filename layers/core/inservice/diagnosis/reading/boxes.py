"""Tracebacks that rich draws as boxes, as the plain tracebacks the rest of the diagnosis reads.

Typer prints every exception so (TGI's server is a Typer program): around each frame it quotes lines of source, and
often the local variables, which hold messages of exceptions that were never raised.
"""

from __future__ import annotations

import re

# A row of a box, behind whatever names the process.
_ROW = re.compile(r"^[^│╭╰]{0,80}│ (?P<said>.*?) *│\s*$")
_TITLE = re.compile(r"^[^│╭╰]{0,80}╭─{1,300} (?P<said>[^─╮]{1,200}) ─{1,300}╮\s*$")
_FOOT = re.compile(r"^[^│╭╰]{0,80}╰─+╯\s*$")
_FRAME_ENDS = re.compile(r":(\d+) in( \S.*)?$")
_SOURCE = re.compile(r"^(?P<mark>❱)?\s*(?:❱ *)?\d+ │(?P<code>.*)$")
# A path as long as the box goes on in the next row, and so does a frame whose function had no room.
_LONGEST_FRAME = 6


def unboxed(lines: list[str]) -> list[str]:
    """The lines, as many as there were, with rich's tracebacks in Python's own words."""
    if not any("╭─" in line and "Traceback (most recent call last)" in line for line in lines):
        return lines
    plain: list[str] = []
    inside, frame = False, ""
    for line in lines:
        title = _TITLE.match(line)
        if title and "Traceback (most recent call last)" in title["said"]:
            inside, frame = True, ""
            plain.append("Traceback (most recent call last):")
            continue
        row = _ROW.match(line) if inside else None
        if row is None:
            ends = inside and _FOOT.match(line)
            inside = inside and not ends
            plain.append("    " if ends else line)
            continue
        text, frame = _row(row["said"], frame)
        plain.append(text)
    return plain


def _row(said: str, frame: str) -> tuple[str, str]:
    """What one row stands for, and what is known of a frame that the next row may finish."""
    source = _SOURCE.match(said.strip())
    if source:
        return ("    " + source["code"].replace("│", " ").strip() if "❱" in said else "    "), ""
    # Local variables stand in a box within the box.
    if not said.strip() or said.lstrip().startswith(("│", "╭", "╰")):
        return "    ", ""
    # A path begins a frame; anything else is the exception, where a message stands within the box.
    if not frame and not said.lstrip().startswith(("/", "<")):
        return said, ""
    frame = f"{frame}\n{said}" if frame else said
    whole = frame.replace("\n", "")
    ends = _FRAME_ENDS.search(whole)
    if ends and ends[2]:
        return f'  File "{whole[: ends.start()]}", line {ends[1]}, in{ends[2]}', ""
    if ends or frame.count("\n") < _LONGEST_FRAME:
        # The name of the function has the next row to itself.
        return "    ", frame + " " if ends else frame
    return said, ""
