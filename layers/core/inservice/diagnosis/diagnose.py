"""From FailureReason, log, plan and metrics to one cause with its proof and its cure; or to an honest 'unknown'."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from inservice.contracts import Diagnosis
from inservice.diagnosis.client_evidence import told_a_client
from inservice.diagnosis.evidence import proof, telling_lines
from inservice.diagnosis.facts import NOTHING_KNOWN, Facts
from inservice.diagnosis.failures import REASON_FAILURES
from inservice.diagnosis.failures.failure import SPECIFIC, SYMPTOM
from inservice.diagnosis.finding.chains import breaks_off
from inservice.diagnosis.finding.hits import Hit
from inservice.diagnosis.finding.search import Found, search, search_text
from inservice.diagnosis.metrics_evidence import weighed
from inservice.diagnosis.plan_evidence import from_plan, out_of_time
from inservice.diagnosis.progress import ANSWERED_MARKS, READY_MARKS, SPEAKING_MARKS, START_MARKS
from inservice.diagnosis.reading.log import Log, read
from inservice.diagnosis.remedies import remedy_for
from inservice.diagnosis.wording import cure_of, summary_of
from inservice.ports import Peak

_SURE = 0.97
# An exception whose own cause may still be printed is not conclusive yet.
_PERHAPS_WRAPPED = 0.8
# Healthy starts hold errors too, such as TGI's on kernels it can do without; a start that ended does so near its end.
_LAST_LINES = 12
_AT_ERROR = re.compile(r"\b(?:ERROR|CRITICAL|FATAL)\b|Traceback \(most recent|^\s+File \"|^(?:ba)?sh: ")
# What a process says when its partner is gone without a word; any other exception has a reason of its own.
_PARTNER_GONE = re.compile(r"EOFError|BrokenPipeError|Connection(?:Reset|Aborted)?Error|SystemExit")


def diagnose(
    *, failure_reason: str | None, log: str | None, facts: Facts = NOTHING_KNOWN, peaks: Iterable[Peak] = ()
) -> Diagnosis:
    """The cause of a failed (or still running) start, with evidence and remedy; UNKNOWN when nothing proves one."""
    lines = read(log) if isinstance(log, str) and log.strip() else Log((), ())
    reason = failure_reason.strip() if isinstance(failure_reason, str) else ""
    reason = reason or told_a_client(lines)
    found = search(lines)
    by_words = _by_words(found, lines, reason, facts)
    undecided = _undecided(by_words, found, lines)
    return weighed(by_words, tuple(peaks), undecided=undecided, log=lines, facts=facts)


def _by_words(found: Found, lines: Log, reason: str, facts: Facts) -> Diagnosis:
    said = search_text(reason, REASON_FAILURES) if reason else None
    if said and said.rank > SYMPTOM and not _log_knows_better(said, found):
        return _from_reason(said, reason, lines, facts)
    if found.root and found.root.rank > SYMPTOM + 5:
        return _from_log(found, lines, facts)
    return _without_cause(found, lines, reason, facts)


def _undecided(by_words: Diagnosis, found: Found, log: Log) -> bool:
    """Whether the words leave room for a metric: no cause, no error at all, or only what follows from an end."""
    if by_words.cause == "CRASH_UNKNOWN":
        return not _has_error_of_its_own(found, log)
    if found.root or _shows(log, READY_MARKS):
        return False
    # A log that breaks off and begins anew without an error is what a killed process leaves.
    silent = not log.lines or found.starts > 1
    return by_words.cause == "UNKNOWN" or (by_words.cause in ("STARTUP_TIMEOUT", "LOADING") and silent)


def _has_error_of_its_own(found: Found, log: Log) -> bool:
    """Whether anything was raised but wrappers and words about a partner that is gone."""
    wrapped = {hit.line for hit in found.hits if hit.rank <= SYMPTOM}
    raised = {hit.line for hit in found.hits} - wrapped
    return any(not _PARTNER_GONE.search(log.lines[number]) for number in raised)


def _log_knows_better(said: Hit, found: Found) -> bool:
    """CannotStart and download sentences are wide; a root cause in the log is narrower."""
    return bool(found.root and found.root.rank >= SPECIFIC - 5 and said.rank < SPECIFIC + 5)


def _from_reason(hit: Hit, reason: str, log: Log, facts: Facts) -> Diagnosis:
    if hit.failure.key == "container_cannot_start":
        by_plan = from_plan(facts, reason)
        if by_plan:
            return by_plan
    return Diagnosis(
        cause=hit.cause,
        confidence=hit.confidence,
        summary=hit.failure.says,
        evidence=(reason, *telling_lines(log, 3)),
        remedy=remedy_for(hit.cause, hit.failure.cure, reason, log, facts),
    )


def _from_log(found: Found, log: Log, facts: Facts) -> Diagnosis:
    hit = found.root
    assert hit is not None
    confidence = hit.confidence
    rivals = {other.cause for other in found.hits if other.rank // 10 >= hit.rank // 10} - {hit.cause}
    if rivals:
        confidence -= 0.06 * min(len(rivals), 3)
    if breaks_off(log, hit.line):
        confidence = min(confidence, _PERHAPS_WRAPPED)
    if found.repeats > 1:
        confidence = min(_SURE, confidence + 0.02)
    evidence = proof(log, hit, found.hits)
    return Diagnosis(
        cause=hit.cause,
        confidence=round(max(0.3, min(_SURE, confidence)), 2),
        summary=_summary(hit, found),
        evidence=evidence,
        remedy=remedy_for(hit.cause, cure_of(hit), log.lines[hit.line], log, facts),
    )


def _summary(hit: Hit, found: Found) -> str:
    says = summary_of(hit)
    return f"{says} Seen in {found.repeats} of {found.starts} starts." if found.repeats > 1 else says


def _without_cause(found: Found, log: Log, reason: str, facts: Facts) -> Diagnosis:
    ready, started = _shows(log, READY_MARKS + ANSWERED_MARKS), _shows(log, START_MARKS)
    if found.root:
        return Diagnosis(
            cause="CRASH_UNKNOWN", confidence=round(found.root.confidence, 2), summary=found.root.failure.says,
            evidence=proof(log, found.root, found.hits), remedy=None,
        )  # fmt: skip
    if reason:
        return _reason_alone(log, reason, facts, ready=ready, started=started)
    if ready:
        return _no_failure("HEALTHY", 0.93, "The server reports that it is ready.", log)
    if started or _shows(log, SPEAKING_MARKS):
        return _loading(log, started=started)
    return Diagnosis(
        cause="UNKNOWN", confidence=0.2, evidence=telling_lines(log, 5), remedy=None,
        summary="Nothing here proves a cause." if log.lines else "There is neither a log nor a reason to go by.",
    )  # fmt: skip


def _loading(log: Log, *, started: bool) -> Diagnosis:
    """A start that goes on; less surely when its last lines hold an error that nothing here explains."""
    troubled = any(_AT_ERROR.search(line[:200]) for line in log.lines[-_LAST_LINES:])
    says = "The server is starting; nothing in the log speaks of a failure."
    return _no_failure("LOADING", 0.7 if troubled else 0.92 if started else 0.78, says, log)


def _no_failure(cause: Any, confidence: float, summary: str, log: Log) -> Diagnosis:
    return Diagnosis(cause=cause, confidence=confidence, summary=summary, evidence=telling_lines(log, 2), remedy=None)


def _reason_alone(log: Log, reason: str, facts: Facts, *, ready: bool, started: bool) -> Diagnosis:
    """SageMaker's sentence with a log that shows no error, or without a log."""
    pinged = re.search(r"\bping\b|health check", reason, re.IGNORECASE)
    if pinged and log.lines and (started or ready):
        return out_of_time(log, reason, facts, ready=ready)
    if not log.lines and (by_plan := from_plan(facts, reason)):
        return by_plan
    if pinged and facts.likely_seconds and facts.window_seconds and facts.likely_seconds > facts.window_seconds:
        return out_of_time(log, reason, facts, ready=ready)
    return Diagnosis(
        cause="UNKNOWN", confidence=0.3, evidence=(reason, *telling_lines(log, 4)), remedy=None,
        summary="SageMaker's reason names a symptom, and the log (if any) does not say why.",
    )  # fmt: skip


def _shows(log: Log, marks: tuple[tuple[str, re.Pattern[str] | None], ...]) -> bool:
    return any(
        pattern is None or pattern.search(log.lines[number][:2000])
        for literal, pattern in marks
        for number in log.find(literal)
    )
