"""An outcome as one SNS message that serves every kind of subscriber."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from inservice.contracts import Attempt, Diagnosis, Outcome
from inservice.publishing.chatbot import chatbot_message
from inservice.publishing.email import email_text
from inservice.publishing.words import headline

# SNS takes 256 KiB for all bodies and attributes together (SNS API reference, Publish).
_ROOM = 250 * 1024
# SNS subjects are ASCII, up to 100 characters, without line breaks (SNS API reference, Publish).
_SUBJECT = 99


@dataclass(frozen=True)
class TopicMessage:
    """What to publish: `message` holds one body per protocol, so it is sent with MessageStructure "json"."""

    subject: str
    message: str
    attributes: dict[str, str]


def sns_message(outcome: Outcome) -> TopicMessage:
    """The outcome itself for functions, queues and http; a letter for e-mail; a custom notification for https."""
    return TopicMessage(
        subject=headline(outcome).encode("ascii", "replace").decode()[:_SUBJECT],
        message=_fitting(outcome),
        attributes={"status": outcome.status, "endpoint_name": outcome.endpoint_name, "cause": _cause(outcome)},
    )


def _cause(outcome: Outcome) -> str:
    """An SNS attribute cannot be empty, and an absent one cannot be filtered for in every console: say it in a word."""
    if outcome.diagnosis:
        return outcome.diagnosis.cause
    return "HEALTHY" if outcome.status == "DEPLOYED" else "UNKNOWN"


def _fitting(outcome: Outcome) -> str:
    """The bodies, with history left out from the least telling end until they fit."""
    message = _bodies(outcome)
    for shorter in _SHORTENINGS:
        if len(message.encode()) <= _ROOM:
            break
        outcome = shorter(outcome)
        message = _bodies(outcome)
    return message


def _bodies(outcome: Outcome) -> str:
    """Amazon Q Developer subscribes by https; the protocols without a body of their own get `default`."""
    bodies = {
        "default": outcome.model_dump_json(),
        "email": email_text(outcome),
        "https": json.dumps(chatbot_message(outcome), ensure_ascii=False),
    }
    return json.dumps(bodies, ensure_ascii=False)


def _shorter_timeline(outcome: Outcome) -> Outcome:
    kept = outcome.timeline if len(outcome.timeline) <= 60 else outcome.timeline[:10] + outcome.timeline[-50:]
    clipped = tuple(entry.model_copy(update={"detail": entry.detail[:300]}) for entry in kept)
    return outcome.model_copy(update={"timeline": clipped})


def _without_old_plans(outcome: Outcome) -> Outcome:
    def bare(attempt: Attempt) -> Attempt:
        return attempt.model_copy(update={"plan": None, "diagnosis": _clipped(attempt.diagnosis)})

    attempts = tuple(bare(attempt) for attempt in outcome.attempts[-10:])
    return outcome.model_copy(update={"attempts": attempts, "diagnosis": _clipped(outcome.diagnosis)})


def _clipped(diagnosis: Diagnosis | None) -> Diagnosis | None:
    if diagnosis is None:
        return None
    return diagnosis.model_copy(update={"evidence": tuple(line[:500] for line in diagnosis.evidence[:5])})


def _without_findings(outcome: Outcome) -> Outcome:
    return outcome.model_copy(update={"findings": outcome.findings[:20], "plan": None, "timeline": ()})


_SHORTENINGS: tuple[Callable[[Outcome], Outcome], ...] = (_shorter_timeline, _without_old_plans, _without_findings)
