"""What the plan itself proves when the container says nothing: CUDA against the host, window against load time."""

from __future__ import annotations

from inservice.contracts import Diagnosis, Remedy
from inservice.diagnosis.evidence import telling_lines
from inservice.diagnosis.facts import Facts
from inservice.diagnosis.reading.log import Log
from inservice.diagnosis.remedies import window_remedy


def from_plan(facts: Facts, reason: str) -> Diagnosis | None:
    """A cause the plan speaks for although there is no log; None when it does not."""
    if facts.ami_mismatch and (facts.log_group_exists is False or "CannotStartContainer" in reason):
        return Diagnosis(
            cause="UNSUPPORTED_GPU",
            confidence=0.78,
            summary=f"The image needs CUDA {facts.image_cuda}, and the host AMI "
            f"{facts.ami or '(default)'} does not bring its driver; the container could not start and left no log.",
            evidence=(reason, f"image_uri: {facts.image_uri}", f"inference_ami_version: {facts.ami}"),
            remedy=Remedy(
                automatic=bool(facts.server), allow="image", changes={"image_uri": None} if facts.server else {},
                explanation="Use the catalogue's image; its InferenceAmiVersion follows from its CUDA version.",
            ),
        )  # fmt: skip
    late = facts.likely_seconds and facts.window_seconds and facts.likely_seconds > facts.window_seconds
    return out_of_time(Log((), ()), reason, facts, ready=False) if late and _pinged(reason) else None


def out_of_time(log: Log, reason: str, facts: Facts, *, ready: bool) -> Diagnosis:
    """The window ended before the server was ready."""
    predicted = facts.likely_seconds is not None and facts.window_seconds is not None
    late = predicted and (facts.likely_seconds or 0) > (facts.window_seconds or 0)
    confidence = 0.9 if late and log.lines else 0.82 if log.lines and not ready else 0.72
    return Diagnosis(
        cause="STARTUP_TIMEOUT",
        confidence=confidence,
        summary="The start-up window ended while the server was still loading; the log shows no error."
        if log.lines and not ready
        else "The start-up window is shorter than the time the server needs.",
        evidence=(*telling_lines(log, 4), reason) if log.lines else (reason,),
        remedy=window_remedy(log, facts),
    )


def _pinged(reason: str) -> bool:
    return "ping" in reason.lower() or "health check" in reason.lower()
