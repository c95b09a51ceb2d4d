"""Chains of causes: what Java and Rust print first was thrown because of what they print last."""

from __future__ import annotations

import re

from inservice.diagnosis.log import Log, said_in

_BEGINS = re.compile(
    r"^(?:Error: \S|(?:Exception in thread \S+ |Caused by: )?(?:[a-z_]\w*\.)+[A-Z]\w*(?:Exception|Error)\b)"
)
_GOES_ON = re.compile(r"^(?:Caused by:|Suppressed:|\s|\.\.\. \d+ more|$)")
_FURTHER = re.compile(r"^Caused by:")
_LONGEST = 150


def causes_of(log: Log, number: int) -> range:
    """The lines of the causes that the line at `number` was thrown for; empty where it began no chain."""
    if not _BEGINS.match(said_in(log.lines[number])[:400]):
        return range(0)
    end = number + 1
    last = min(len(log.lines), number + _LONGEST)
    first_cause = 0
    while end < last and _GOES_ON.match(said_in(log.lines[end])[:40]):
        if not first_cause and _FURTHER.match(said_in(log.lines[end])):
            first_cause = end
        end += 1
    return range(first_cause, end) if first_cause else range(0)
