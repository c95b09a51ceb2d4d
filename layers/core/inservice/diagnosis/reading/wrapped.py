"""Lines that a terminal broke at its width, joined again: a message is copied from a screen as it stood there."""

from __future__ import annotations

import re

from inservice.diagnosis.reading.characters import NO_DIGITS

_NARROWEST, _WIDEST = 60, 300
# So many kinds of lines, and one line in so many, end where the longest does. A crash loop repeats one kind.
_KINDS, _ONE_IN = 2, 12
# What begins a line of its own: a record, a frame or its source, a row of a table.
_BEGINS = re.compile(
    r"\s{2}|[(\[{|+=╭│╰]|\d{4}-|\d\d:\d\d|[IWEF]\d{4} |(?:DEBUG|INFO|NOTICE|WARN|ERROR|CRITICAL|FATAL|Traceback|At:)\b|"
    r"[\w.]*(?:Error|Exception|Warning)\b"
)


def unwrapped(lines: list[str]) -> list[str]:
    """The lines, as many as there were: a broken one whole, and blanks where its rest stood."""
    width = max(map(len, lines), default=0)
    if not _NARROWEST <= width <= _WIDEST or not _is_an_edge(width, lines):
        return lines
    whole = list(lines)
    for number in range(len(lines) - 2, -1, -1):
        line, following = lines[number], lines[number + 1]
        # Some terminals fill the line with blanks: only text that reaches the edge, or the blank before it, was broken.
        if len(line) == width and len(line.rstrip()) >= width - 1 and not _BEGINS.match(following):
            whole[number], whole[number + 1] = line + whole[number + 1].rstrip(), "    "
    return whole


def _is_an_edge(width: int, lines: list[str]) -> bool:
    at_edge = [line for line in lines if len(line) == width]
    if len(at_edge) * _ONE_IN < len(lines):
        return False
    some = at_edge[:: max(1, len(at_edge) // 200)]
    return len({line.translate(NO_DIGITS) for line in some}) >= _KINDS
