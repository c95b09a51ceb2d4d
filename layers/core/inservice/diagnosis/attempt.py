"""Diagnosing one attempt of a deployment: SageMaker's word, log, plan and metrics, and what InService itself met."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta

from inservice.clock import Clock
from inservice.commands import Diagnose
from inservice.contracts import Diagnosis
from inservice.diagnosis.diagnose import diagnose
from inservice.diagnosis.facts import NOTHING_KNOWN, Facts
from inservice.diagnosis.instances import Instances
from inservice.diagnosis.metrics_evidence import rests_on_metrics
from inservice.errors import InServiceError
from inservice.ports import LogLine, Logs, Metrics, Peak

# What is kept of a log at most, half of it from each end.
MOST_LOG_BYTES = 4_000_000
_ABSTAINED = ("UNKNOWN", "CRASH_UNKNOWN", "HEALTHY", "LOADING")
# CloudWatch shows a line seconds after it was printed, sometimes minutes, and a metric after its minute is over;
# SageMaker's word does not wait for either.
_LOOKS, _BETWEEN_LOOKS_SECONDS = 4, 30
# A server that loads until its window ends prints until then: TGI every 10 s, vLLM with every shard of the weights.
_SILENT_SECONDS = 90
# How long before an update its old instances are looked at, and how full they may have been then.
_BEFORE, _CALM_PERCENT = timedelta(hours=1), 80.0


def log_of_attempt(command: Diagnose, *, logs: Logs) -> list[LogLine]:
    """The attempt's lines as far as CloudWatch shows them, oldest first."""
    if command.endpoint is None or command.fault is not None or command.verdict == "gone":
        return []
    since = int(command.endpoint.started_at.timestamp() * 1000)
    keep = None if command.endpoint.created else Instances().may_start
    return logs.read_both_ends(command.endpoint.log_group, since, max_bytes=MOST_LOG_BYTES, keep=keep) or []


def diagnose_attempt(command: Diagnose, *, lines: list[LogLine], metrics: Metrics, clock: Clock) -> Diagnosis:
    """The cause of a failed attempt; falls back to the early verdict where the late evidence says less."""
    if command.fault is not None:
        return _fault(command)
    if command.verdict == "gone":
        return _gone()
    log = "\n".join(line.message for line in lines) if lines else None
    peaks = _peaks(command, metrics, clock)
    facts = Facts.of_plan(command.plan, command.request) if command.plan else NOTHING_KNOWN
    found = diagnose(failure_reason=command.reason, log=log, facts=facts, peaks=peaks)
    if command.losing and _says_less(found, command.losing):
        return command.losing
    if command.verdict == "rolled_back" and found.cause in _ABSTAINED and _alarm_rang(command):
        return _while_the_old_serves(_rung(command))
    if found.cause in ("HEALTHY", "LOADING"):
        return found.model_copy(update={"cause": "UNKNOWN", "summary": _settled_without_cause(command), "remedy": None})
    return _while_the_old_serves(found) if command.verdict == "rolled_back" else found


def look_again_seconds(command: Diagnose, found: Diagnosis, *, lines: list[LogLine], now: datetime) -> int | None:
    """How long to wait for lines and metrics that may be on their way; None when they have come, or never will."""
    settled = command.verdict in ("failed", "rolled_back") and command.endpoint is not None and command.fault is None
    unproved = _unproved(command, found) or (found.cause == "STARTUP_TIMEOUT" and _breaks_off(lines, now))
    if not settled or not unproved or _alarm_rang(command):
        return None
    return _BETWEEN_LOOKS_SECONDS if command.looks + 1 < _LOOKS else None


def _unproved(command: Diagnose, found: Diagnosis) -> bool:
    """No cause, or one that only plan or metrics speak for: a log could still show another."""
    reason_alone = found.evidence == ((command.reason or "").strip(),)
    by_plan = found.cause == "STARTUP_TIMEOUT" and reason_alone
    return found.cause in ("UNKNOWN", "CRASH_UNKNOWN") or by_plan or rests_on_metrics(found)


def _breaks_off(lines: list[LogLine], now: datetime) -> bool:
    """Whether the newest line is older than that of a server that was still loading when its window ended."""
    newest = max((line.at_ms for line in lines), default=0)
    return now.timestamp() * 1000 - newest > _SILENT_SECONDS * 1000


def _says_less(found: Diagnosis, losing: Diagnosis) -> bool:
    """Whether the early verdict stands: it had a cause in the log, or the late look has none at all."""
    return found.cause in _ABSTAINED or (rests_on_metrics(found) and losing.cause not in _ABSTAINED)


def _fault(command: Diagnose) -> Diagnosis:
    assert command.fault is not None
    return Diagnosis(
        cause="UNKNOWN",
        confidence=0.3,
        summary=f"InService itself failed ({command.fault.Error}); the model may be fine. Deploy again, and if it "
        "fails again, look at the function's log in the execution.",
        evidence=(command.fault.Cause[:600],) if command.fault.Cause else (),
        remedy=None,
    )


def _gone() -> Diagnosis:
    return Diagnosis(
        cause="UNKNOWN", confidence=0.9, evidence=(), remedy=None,
        summary="Somebody deleted the endpoint while it was being deployed.",
    )  # fmt: skip


def _alarm_rang(command: Diagnose) -> bool:
    return "alarm" in (command.reason or "").lower()


def _rung(command: Diagnose) -> Diagnosis:
    """The new version started, and answered wrongly or slowly: that is measured, not found in a log."""
    return Diagnosis(
        cause="UNKNOWN", confidence=0.9, evidence=((command.reason or "").strip(),), remedy=None,
        summary="The new version started, but an alarm on its errors or its latency rang, and SageMaker moved the "
        "traffic back. Look at the requests of that time, then deploy again.",
    )  # fmt: skip


def _settled_without_cause(command: Diagnose) -> str:
    if command.verdict == "out_of_time":
        return "The endpoint is past every window and SageMaker has not decided; the log shows no error."
    return "The attempt failed, and neither the log nor SageMaker's reason says why."


def _while_the_old_serves(found: Diagnosis) -> Diagnosis:
    return found.model_copy(update={"summary": f"{found.summary} The previous version keeps serving."})


def _peaks(command: Diagnose, metrics: Metrics, clock: Clock) -> tuple[Peak, ...]:
    """What the attempt's instances used at most; nothing where it cannot be told, for the diagnosis goes on without."""
    endpoint = command.endpoint
    # What answers pings was not short of anything.
    if endpoint is None or command.verdict not in ("failed", "out_of_time", "rolled_back"):
        return ()
    asked = functools.partial(metrics.peaks, endpoint.endpoint_name, endpoint.variant_name)
    try:
        peaks = asked(since=endpoint.started_at, until=clock.now())
        if endpoint.created or not peaks:
            return peaks
        before = asked(since=endpoint.started_at - _BEFORE, until=endpoint.started_at)
    except InServiceError:
        return ()
    # An update's old instances publish under the same names; what was far from full before, they did not fill.
    calm = {peak.metric for peak in before if peak.percent < _CALM_PERCENT}
    return tuple(peak for peak in peaks if peak.metric in calm)
