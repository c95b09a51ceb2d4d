"""An outcome as plain text, for e-mail."""

from __future__ import annotations

from inservice.contracts import Outcome
from inservice.publishing import words
from inservice.publishing.slack import LINK_LABELS


def email_text(outcome: Outcome) -> str:
    """The outcome as a plain-text letter: what happened, why, the proof, the fix, what was tried, figures, links."""
    parts = [
        words.headline(outcome),
        _cause(outcome),
        _listed("What proves it:", words.evidence(outcome)),
        _listed("Problems:", words.problems(outcome)),
        _fix(outcome),
        _listed("Tried:", [words.attempt_in_words(attempt) for attempt in outcome.attempts]),
        "\n".join(words.facts(outcome)),
        "\n".join(f"{label}: {outcome.links[key]}" for key, label in LINK_LABELS.items() if key in outcome.links),
    ]
    return words.cleaned("\n\n".join(part for part in parts if part)) + "\n"


def _cause(outcome: Outcome) -> str:
    if outcome.diagnosis is None or outcome.status == "DEPLOYED":
        return ""
    return f"{outcome.diagnosis.summary}\nCause: {outcome.diagnosis.cause} ({outcome.diagnosis.confidence:.0%} sure)"


def _fix(outcome: Outcome) -> str:
    told = None if outcome.status == "DEPLOYED" else words.fix(outcome)
    return f"Fix: {told}" if told else ""


def _listed(title: str, lines: list[str]) -> str:
    return "\n".join([title, *(f"  {line[:500]}" for line in lines)]) if lines else ""
