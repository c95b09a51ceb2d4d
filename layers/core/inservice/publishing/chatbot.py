"""An outcome as a custom notification for Amazon Q Developer in chat applications (formerly AWS Chatbot)."""

from __future__ import annotations

from typing import Any

from inservice.contracts import Outcome
from inservice.publishing import words
from inservice.publishing.slack import LINK_LABELS, SYMBOL
from inservice.publishing.slack_text import code, code_block, line, link

# docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html: version and source must be exactly these, and
# client-markdown is the only text type. Texts stay far below the service's limits, which is also what a phone needs.
_TITLE, _PARAGRAPH, _EVIDENCE, _STEP = 250, 700, 1200, 300


def chatbot_message(outcome: Outcome) -> dict[str, Any]:
    """The custom notification, version 1.0; messages of one deployment share a thread."""
    title = line(f"{SYMBOL[outcome.status]} {words.headline(outcome)}", _TITLE)
    content: dict[str, Any] = {"textType": "client-markdown", "title": title, "description": _description(outcome)}
    steps = [line(step, _STEP) for step in _steps(outcome)]
    if steps:
        content["nextSteps"] = steps
    return {
        "version": "1.0",
        "source": "custom",
        "id": f"{outcome.deployment_id}-{outcome.status}-{len(outcome.attempts)}",
        "content": content,
        "metadata": {
            "threadId": outcome.deployment_id,
            "summary": title,
            "eventType": outcome.status,
            "additionalContext": {
                "endpoint_name": outcome.endpoint_name,
                "cause": outcome.diagnosis.cause if outcome.diagnosis else "none",
            },
        },
    }


def _description(outcome: Outcome) -> str:
    parts = [line(" · ".join(words.facts(outcome)), _PARAGRAPH), " · ".join(_links(outcome))]
    if outcome.diagnosis and outcome.status != "DEPLOYED":
        parts.insert(0, f"{line(outcome.diagnosis.summary, _PARAGRAPH)} {code(outcome.diagnosis.cause)}")
        proof = words.evidence(outcome)
        parts.insert(1, code_block(proof, _EVIDENCE) if proof else "")
    return "\n".join(part for part in parts if part) or line(words.headline(outcome), _TITLE)


def _steps(outcome: Outcome) -> list[str]:
    if outcome.status == "DEPLOYED":
        return []
    told = words.fix(outcome)
    return [*([told] if told else []), *words.problems(outcome)][:5]


def _links(outcome: Outcome) -> list[str]:
    """Short links only: the whole description has one limit, and a link that carries its data would fill it."""
    made = [link(outcome.links[key], label) for key, label in LINK_LABELS.items() if key in outcome.links]
    return [text for text in made if text and len(text) <= 600]
