"""An outcome as a Slack message in Block Kit, for a phone first."""

from __future__ import annotations

from typing import Any

from inservice.contracts import Outcome, Status
from inservice.publishing import words
from inservice.publishing.slack_text import code, code_block, line, link

SYMBOL: dict[Status, str] = {
    "DEPLOYED": "✅", "NOT_DEPLOYED": "❌", "REFUSED": "⛔", "LOSING": "⚠️", "IN_PROGRESS": "⏳",
}  # fmt: skip
LINK_LABELS = {
    "page": "Timeline", "logs": "Log", "execution": "Execution", "endpoint": "Endpoint", "deployment": "API",
}  # fmt: skip
# A header holds 150 characters, a section's text 3000 (docs.slack.dev, Block Kit reference); shorter reads better.
_HEADER, _PARAGRAPH, _EVIDENCE = 150, 700, 1200
_PROBLEMS_SHOWN = 5


def slack_message(outcome: Outcome) -> dict[str, Any]:
    """`{"text", "blocks"}` for chat.postMessage or an incoming webhook; `text` is what a notification shows."""
    title = f"{SYMBOL[outcome.status]} {words.headline(outcome)}"
    parts = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:_HEADER], "emoji": False}},
        _what(outcome),
        _proof(outcome),
        _problems(outcome),
        _fix(outcome),
        _attempts(outcome),
        _context([line(" · ".join(words.facts(outcome)), _PARAGRAPH)]),
        _context(_links(outcome)),
    ]
    return {"text": line(title, _HEADER), "blocks": [part for part in parts if part]}


def _what(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.diagnosis is None or outcome.status == "DEPLOYED":
        return _served(outcome)
    sure = f"{outcome.diagnosis.confidence:.0%} sure"
    so_far = (
        "\nSageMaker has not said so yet; the outcome follows once it lets go." if outcome.status == "LOSING" else ""
    )
    told = line(outcome.diagnosis.summary, _PARAGRAPH)
    return _section(f"{told}\n{code(outcome.diagnosis.cause)} ({sure}){so_far}")


def _served(outcome: Outcome) -> dict[str, Any] | None:
    """For a running endpoint what it can take; nothing for any other outcome without a diagnosis."""
    if outcome.status != "DEPLOYED" or outcome.plan is None:
        return None
    tokens = outcome.plan.memory.max_total_tokens_supported
    return _section(f"It can take up to {tokens:,} tokens per request.") if tokens else None


def _proof(outcome: Outcome) -> dict[str, Any] | None:
    lines = [] if outcome.status == "DEPLOYED" else words.evidence(outcome)
    return _section(code_block(lines, _EVIDENCE)) if lines else None


def _problems(outcome: Outcome) -> dict[str, Any] | None:
    if outcome.status != "REFUSED":
        return None
    told = words.problems(outcome)
    shown = [f"• {line(problem, 400)}" for problem in told[:_PROBLEMS_SHOWN]]
    if len(told) > _PROBLEMS_SHOWN:
        shown.append(f"and {len(told) - _PROBLEMS_SHOWN} more")
    return _section("\n".join(shown)) if shown else None


def _fix(outcome: Outcome) -> dict[str, Any] | None:
    told = None if outcome.status == "DEPLOYED" else words.fix(outcome)
    return _section(f"*Fix:* {line(told, _PARAGRAPH)}") if told else None


def _attempts(outcome: Outcome) -> dict[str, Any] | None:
    """What was tried, once there was more than one attempt or something was changed."""
    if len(outcome.attempts) < 2 and not any(attempt.changes for attempt in outcome.attempts):
        return None
    return _section("\n".join(line(words.attempt_in_words(attempt), 400) for attempt in outcome.attempts[-6:]))


def _links(outcome: Outcome) -> list[str]:
    made = [link(outcome.links[key], label) for key, label in LINK_LABELS.items() if key in outcome.links]
    return [text for text in made if text]


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _mrkdwn(text)}


def _context(texts: list[str]) -> dict[str, Any] | None:
    elements = [_mrkdwn(text) for text in texts if text]
    return {"type": "context", "elements": elements} if elements else None


def _mrkdwn(text: str) -> dict[str, Any]:
    # verbatim: Slack must not turn names and addresses inside log text into links and mentions.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
