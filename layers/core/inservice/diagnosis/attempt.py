"""Diagnosing one attempt of a deployment: what SageMaker said, what the log shows, and what InService itself met."""

from __future__ import annotations

from typing import Any

from inservice.commands import Diagnose
from inservice.contracts import Diagnosis, Plan
from inservice.diagnosis.diagnose import diagnose
from inservice.ports import Logs

_MOST_LOG_BYTES = 4_000_000
_ABSTAINED = ("UNKNOWN", "CRASH_UNKNOWN", "HEALTHY", "LOADING")
# CloudWatch shows a line seconds after it was printed, sometimes minutes; SageMaker's word does not wait for it.
_LOOKS, _BETWEEN_LOOKS_SECONDS = 4, 30


def diagnose_attempt(command: Diagnose, *, logs: Logs) -> Diagnosis:
    """The cause of a failed attempt; falls back to the early verdict where the late evidence says less."""
    if command.fault is not None:
        return _fault(command)
    if command.verdict == "gone":
        return _gone()
    log = _log_text(command, logs)
    found = diagnose(failure_reason=command.reason, log=log, config=_config(command))
    if found.cause in _ABSTAINED and command.losing:
        return command.losing
    if command.verdict == "rolled_back" and found.cause in _ABSTAINED and _alarm_rang(command):
        return _while_the_old_serves(_rung(command))
    if found.cause in ("HEALTHY", "LOADING"):
        return found.model_copy(update={"cause": "UNKNOWN", "summary": _settled_without_cause(command), "remedy": None})
    return _while_the_old_serves(found) if command.verdict == "rolled_back" else found


def look_again_seconds(command: Diagnose, found: Diagnosis) -> int | None:
    """How long to wait for log lines that may still be on their way; None when they have come, or never will."""
    settled = command.verdict in ("failed", "rolled_back") and command.endpoint is not None and command.fault is None
    if not settled or not _unproved(command, found) or _alarm_rang(command):
        return None
    return _BETWEEN_LOOKS_SECONDS if command.looks + 1 < _LOOKS else None


def _unproved(command: Diagnose, found: Diagnosis) -> bool:
    """No cause, or a late start that only the plan speaks for: a log could still show a crash."""
    reason_alone = found.evidence == ((command.reason or "").strip(),)
    return found.cause in ("UNKNOWN", "CRASH_UNKNOWN") or (found.cause == "STARTUP_TIMEOUT" and reason_alone)


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


def _log_text(command: Diagnose, logs: Logs) -> str | None:
    if command.endpoint is None:
        return None
    since = int(command.endpoint.started_at.timestamp() * 1000)
    lines = logs.read(command.endpoint.log_group, since, max_bytes=_MOST_LOG_BYTES)
    return "\n".join(line.message for line in lines) if lines else None


def _config(command: Diagnose) -> dict[str, Any] | None:
    if command.plan is None:
        return None
    return config_of(command.plan) | {"model_id": command.request.model.hub_id}


def config_of(plan: Plan) -> dict[str, Any]:
    """What the diagnosis may use of the plan, under the names the cases use."""
    predicted = plan.predicted_load_seconds
    return {
        "instance_type": plan.instance_type,
        "image": plan.image_uri,
        "image_uri": plan.image_uri,
        "env": plan.environment,
        "environment": plan.environment,
        "health_check_timeout_seconds": plan.health_check_timeout_seconds,
        "download_timeout_seconds": plan.download_timeout_seconds,
        "volume_size_gb": plan.volume_size_gb,
        "inference_ami_version": plan.inference_ami_version,
        "predicted_load_seconds": predicted.as_json() if predicted else None,
    }
