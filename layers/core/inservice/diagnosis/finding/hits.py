"""The known failures that a log shows, line by line, and how much each such line is worth."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from inservice.contracts import Cause
from inservice.diagnosis.failures.failure import FRAMES, SYMPTOM, Failure, Sign
from inservice.diagnosis.failures.places import place
from inservice.diagnosis.failures.refusals import CLEAR, refused
from inservice.diagnosis.finding.asides import no_cause, of_a_warning, remark, speaks_of_failure, tries_another
from inservice.diagnosis.reading.log import Log, loud, said_in
from inservice.diagnosis.reading.messages import whole

# A pattern sees this much of a line around its literal: argument dumps are one line of 100 kB.
_BEFORE, _AFTER = 400, 900
_CONTEXT_LINES = 120
# How a traceback ends; a logger that is given the exception writes only its message.
_RAISED = re.compile(r"\w(?:Error|Exception)\b")
# What a warning is worth once the process has died: TGI warns why Flash Attention is missing, then dies of it.
_WARNED = 30
# What one of several ways to start is worth less than the only one, once none has worked.
_TRIED = 20
# What one of several ways to start is worth that were all tried in vain.
_ONE_OF_SEVERAL = 20
# Taken off the rank of what counts only once the process has died, and given back then.
_DISGUISED = 1000


@dataclass(frozen=True)
class Hit:
    """A known failure seen at a line; `cause` may be narrower than the failure's own."""

    failure: Failure
    cause: Cause
    rank: int
    confidence: float
    line: int
    raised: bool = False
    # The line calls itself a warning; it counts because the process died.
    warned: bool = False


def hits_of(log: Log, failures: Iterable[Failure], any_level: bool = False) -> list[Hit]:
    """Every line that shows one of these failures; mere warnings only where something else has failed."""
    found: dict[tuple[str, int], Hit] = {}
    for failure in failures:
        for mark in failure.signs:
            for number in log.find(mark.literal):
                if (failure.key, number) not in found and _shows(mark, log.lines[number]):
                    hit = _weigh(log, failure, number, any_level)
                    if hit:
                        found[failure.key, number] = hit
    hits = list(found.values())
    crashed = any(hit.rank >= SYMPTOM and not _only_warned(hit) for hit in hits)
    return [_undisguised(hit) for hit in hits if crashed or not _only_warned(hit)]


def _shows(mark: Sign, line: str) -> bool:
    said = said_in(line)
    position = said.lower().find(mark.literal)
    # The wrapper's own words count too: TorchServe reports a dead worker outside the worker's output.
    line, position = (said, position) if position >= 0 else (line, line.lower().find(mark.literal))
    around = line[max(0, position - _BEFORE) : position + _AFTER]
    if mark.pattern and not mark.pattern.search(around):
        return False
    return not (mark.unless and mark.unless.search(around))


def _weigh(log: Log, failure: Failure, number: int, any_level: bool) -> Hit | None:
    if no_cause(log, number, any_level=any_level):
        return None
    line = log.lines[number]
    hit = Hit(failure, failure.cause, failure.rank, failure.confidence, number, raised="exception" in line.lower())
    if not (any_level or failure.at_any_level or _is_told(log, hit)):
        less = _TRIED if tries_another(line) else _WARNED
        hit = replace(hit, rank=hit.rank - _DISGUISED - less, confidence=hit.confidence - 0.25)
    elif failure.needs_error and not any_level and not speaks_of_failure(line):
        hit = replace(hit, rank=hit.rank - _DISGUISED)
    return _narrowed(hit, log) if failure.decide or hit.rank <= SYMPTOM + 5 else hit


def _is_told(log: Log, hit: Hit) -> bool:
    """Whether the line is told as an error, and not as information, a warning or a remark."""
    line = log.lines[hit.line]
    if not loud(line) or tries_another(line) or of_a_warning(log, hit.line):
        return False
    return hit.rank <= SYMPTOM + 5 or not remark(line)


def _narrowed(hit: Hit, log: Log) -> Hit:
    """The hit with the cause that the lines before it decide, where its own words leave that open."""
    line, key = log.lines[hit.line], hit.failure.key
    before = _context(log, hit.line)
    decided = hit.failure.decide(before, line) if hit.failure.decide else None
    if decided:
        hit = replace(hit, cause=_cause(decided), confidence=min(0.95, hit.confidence + 0.08))
    elif key == "gpu_out_of_memory":
        hit = replace(hit, confidence=0.7)
    if key == "crash_without_cause" and (spoken := _spoken(before, line, whole(log, hit.line))):
        hushed = _ONE_OF_SEVERAL - _DISGUISED if tries_another(line) else hit.rank
        hit = replace(hit, cause=spoken, rank=FRAMES if hit.rank > 0 else hushed, confidence=0.66)
    return hit


def _context(log: Log, number: int) -> list[str]:
    """What led to this line: the lines before it, and the traceback below where a logger wrote the message first."""
    before = log.lines[max(0, number - _CONTEXT_LINES) : number]
    below = log.lines[number + 1 : number + 1 + _CONTEXT_LINES]
    if _RAISED.search(log.lines[number]) or not (below and "Traceback (most recent" in below[0]):
        return list(before)
    message = log.lines[number][-60:]
    ends = next((at for at, text in enumerate(below) if text.endswith(message)), len(below))
    return [*before, *below[:ends]]


def _spoken(before: list[str], line: str, message: str) -> Cause | None:
    """What an exception nobody described speaks for: its own words if they are clear, else where it was raised."""
    said = refused(line) or refused(message)
    return said if said in CLEAR else place(before, line) or said


def _cause(name: str) -> Cause:
    return name  # type: ignore[return-value]


def _only_warned(hit: Hit) -> bool:
    return hit.rank < 0


def _undisguised(hit: Hit) -> Hit:
    return replace(hit, rank=hit.rank + _DISGUISED, warned=True) if _only_warned(hit) else hit
