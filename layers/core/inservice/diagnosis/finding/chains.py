"""Chains of causes: what Java, Rust and Triton's compiler print first was thrown because of what they print last."""

from __future__ import annotations

import re

from inservice.diagnosis.reading.log import Log, said_in

_BEGINS = re.compile(
    r"^(?:Error: \S|(?:Exception in thread \S+ |Caused by: )?(?:[a-z_]\w*\.)+[A-Z]\w*(?:Exception|Error)\b)"
)
_JAVA = re.compile(r"^(?:Exception in thread \S+ |Caused by: )?(?:javax?|ai\.djl|com|org)\.[\w.]+(?:Exception|Error)\b")
_GOES_ON = re.compile(r"^(?:Caused by:|Suppressed:|\s|\.\.\. \d+ more|$)")
_FURTHER = re.compile(r"^Caused by:")
_LONGEST = 150
# Triton's compiler prints where, some of the kernel, and then what (triton/compiler/errors.py), each rank its own.
_ANNOUNCED = 40


def causes_of(log: Log, number: int) -> range:
    """The lines of the causes that the line at `number` was thrown for; empty where it began no chain."""
    if not _BEGINS.match(said_in(log.lines[number])[:400]):
        return range(0)
    chain = _chain(log, number)
    causes = [line for line in chain if _FURTHER.match(said_in(log.lines[line]))]
    return range(causes[0], chain.stop) if causes else range(0)


def breaks_off(log: Log, number: int) -> bool:
    """Whether the log ends where the cause of the exception at `number` may be still to come."""
    line = said_in(log.lines[number])
    if line.rstrip().endswith(":"):
        return len(log.lines) - number <= _ANNOUNCED
    return bool(_JAVA.match(line[:400])) and _chain(log, number).stop == len(log.lines)


def _chain(log: Log, number: int) -> range:
    """The lines below the one at `number` that belong to what was thrown there."""
    end = number + 1
    last = min(len(log.lines), number + _LONGEST)
    while end < last and _GOES_ON.match(said_in(log.lines[end])[:40]):
        end += 1
    return range(number + 1, end)
