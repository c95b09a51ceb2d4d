"""An outcome in words that every channel shares: the headline, the cause, the duration, the cost, the changes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

from inservice.contracts import Attempt, Cause, Outcome, Phase, Plan

CAUSE_IN_WORDS: dict[Cause, str] = {
    "STARTUP_TIMEOUT": "the model needs longer to start than the start-up window allows",
    "MODEL_DOWNLOAD_FAILED": "the weights could not be downloaded",
    "GATED_OR_AUTH": "the model is gated and the hub did not grant access",
    "MODEL_NOT_FOUND": "the model does not exist where it was looked for",
    "DISK_FULL": "the disk is too small",
    "GPU_OOM_WEIGHTS": "the weights do not fit the GPU",
    "GPU_OOM_KV_CACHE": "the KV cache does not fit the GPU",
    "HOST_OOM": "the host ran out of memory",
    "UNSUPPORTED_ARCHITECTURE": "the image does not know this model architecture",
    "UNSUPPORTED_GPU": "the image does not support this GPU",
    "SHARDING_ERROR": "the model cannot be split over these GPUs",
    "INVALID_ARGUMENT": "the server refused one of its settings",
    "QUANTIZATION_ERROR": "the quantisation does not work here",
    "TOKENIZER_ERROR": "the tokenizer could not be loaded",
    "MISSING_DEPENDENCY": "a library is missing in the image",
    "BAD_CONTAINER": "the container does not run as SageMaker needs it to",
    "IMAGE_PULL": "the image could not be pulled",
    "CAPACITY": "AWS has no capacity of this instance type now",
    "QUOTA": "the account's quota for this instance type is used up",
    "IAM": "a permission is missing",
    "CORRUPT_WEIGHTS": "the weights are damaged or incomplete",
    "INVALID_REQUEST_CONFIG": "SageMaker refused the configuration",
    "COMPILE_ERROR": "compiling the model failed",
    "NETWORK_VPC": "the container has no way through the network",
    "CRASH_UNKNOWN": "the server crashed and its log does not say why",
    "HEALTHY": "the log shows no failure",
    "LOADING": "the model was still loading",
    "UNKNOWN": "the cause is not known",
}

PHASE_IN_WORDS: dict[Phase, str] = {
    "queued": "queued",
    "provision": "waiting for an instance",
    "image": "starting the container",
    "download": "downloading the weights",
    "load": "loading the weights",
    "compile": "compiling",
    "warm_up": "warming up",
    "ready": "ready",
    "smoke_test": "trying one real request",
    "diagnose": "finding the cause",
    "clean_up": "cleaning up",
    "done": "done",
}

# ANSI colours, then control characters and the marks that change writing direction (Unicode TR #9), which could make a
# log line read as something it is not.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def headline(outcome: Outcome) -> str:
    """What happened, in one line of our own words and the endpoint's name; nothing from a log is in it."""
    name = outcome.endpoint_name
    if outcome.status == "DEPLOYED":
        return f"{name} is InService{_after(outcome)}"
    if outcome.status == "REFUSED":
        return f"{name} was refused: {_problems(outcome)}"
    if outcome.status == "LOSING":
        return f"{name} is not going to start: {cause_in_words(outcome)}"
    if outcome.status == "NOT_DEPLOYED":
        return (
            f"{name} was not deployed: {cause_in_words(outcome)}" if outcome.diagnosis else f"{name} was not deployed"
        )
    return f"{name} is being deployed: {PHASE_IN_WORDS[outcome.phase]}"


def cause_in_words(outcome: Outcome) -> str:
    """The cause as half a sentence; says so when there is no diagnosis."""
    return CAUSE_IN_WORDS[outcome.diagnosis.cause if outcome.diagnosis else "UNKNOWN"]


def problems(outcome: Outcome) -> list[str]:
    """Every error among the findings: the field, what is wrong with it, and its fix."""
    errors = [finding for finding in outcome.findings if finding.severity == "error"]
    return [f"{finding.field}: {finding.message} {finding.fix}".strip() for finding in errors]


def evidence(outcome: Outcome) -> list[str]:
    """The first three proving lines, cleaned of colours and control characters but otherwise verbatim."""
    lines = outcome.diagnosis.evidence if outcome.diagnosis else ()
    printable = (cleaned(line).strip() for line in lines)
    return [line for line in printable if line][:3]


def fix(outcome: Outcome) -> str | None:
    """The remedy's explanation with its concrete changes; None where the diagnosis has none."""
    remedy = outcome.diagnosis.remedy if outcome.diagnosis else None
    if remedy is None:
        return None
    changed = changes_in_words(remedy.changes)
    return f"{remedy.explanation} Set {changed}." if changed else remedy.explanation


def attempt_in_words(attempt: Attempt) -> str:
    """One attempt: on what it ran, what came of it, and what was changed for the next one."""
    ran = f"Attempt {attempt.number}"
    if attempt.plan:
        ran += f" ({machine(attempt.plan)})"
    came = CAUSE_IN_WORDS[attempt.diagnosis.cause] if attempt.diagnosis else "no failure found"
    changed = changes_in_words(attempt.changes)
    return f"{ran}: {came}." + (f" Next try: {changed}." if changed else "")


def machine(plan: Plan) -> str:
    """Server, version and instance type of a plan."""
    return f"{plan.server} {plan.server_version or 'of a custom image'} on {plan.instance_type}"


def changes_in_words(changes: dict[str, Any]) -> str:
    """Changed request fields as `field = value`, in a stable order; empty for no change."""
    return ", ".join(f"{field} = {_value(changes[field])}" for field in sorted(changes))


def attempts(outcome: Outcome) -> str | None:
    """How many attempts a failure took; a success says in its headline when it took more than one."""
    count = len(outcome.attempts)
    if outcome.status != "NOT_DEPLOYED" or not count:
        return None
    return "1 attempt" if count == 1 else f"{count} attempts"


def duration(outcome: Outcome) -> str | None:
    """From the first to the last entry of the timeline; None when there are not two."""
    times = [entry.at for entry in outcome.timeline]
    return duration_in_words(max(times) - min(times)) if len(times) > 1 else None


def duration_in_words(span: timedelta) -> str:
    """A span in the two largest units that matter, such as `4 min 10 s`; what is zero is left out."""
    minutes, seconds = divmod(round(span.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min")] if hours else [(minutes, "min"), (seconds, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 s"


def cost(outcome: Outcome) -> str | None:
    """The cost so far, always marked as the estimate it is; None when no price is known."""
    return None if outcome.cost_usd is None else f"about ${outcome.cost_usd:.2f} (estimate at list price)"


def facts(outcome: Outcome) -> list[str]:
    """Machine, attempts of a failure, duration, cost and, for what is now running, the price per hour."""
    told = [machine(outcome.plan) if outcome.plan else None, attempts(outcome), duration(outcome), cost(outcome)]
    if outcome.status == "DEPLOYED" and outcome.plan and outcome.plan.cost_per_hour_usd is not None:
        told.append(f"${outcome.plan.cost_per_hour_usd:.3f} per hour from now on")
    return [fact for fact in told if fact]


def cleaned(text: str) -> str:
    """The text without terminal colours, control characters and direction overrides; tabs and newlines stay."""
    return _UNPRINTABLE.sub("", _ESCAPES.sub("", text))


def _after(outcome: Outcome) -> str:
    return f" after {len(outcome.attempts)} attempts" if len(outcome.attempts) > 1 else ""


def _problems(outcome: Outcome) -> str:
    count = len(problems(outcome))
    if not count:
        return cause_in_words(outcome) if outcome.diagnosis else "the request cannot work as it stands"
    return "one problem in the request" if count == 1 else f"{count} problems in the request"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 80 else text[:79] + "…"
