"""The lines that prove a diagnosis, word for word."""

from __future__ import annotations

import re

from inservice.diagnosis.failures.failure import SYMPTOM
from inservice.diagnosis.finding.hits import Hit
from inservice.diagnosis.reading.log import Log
from inservice.diagnosis.reading.messages import rest_of

_LONGEST = 1000
_TELLING = re.compile(r"error|exception|fail|killed|fatal|cannot|denied", re.IGNORECASE)
# A hub token: `hf_` and letters (Hugging Face's documented format).
_TOKEN = re.compile(r"hf_[A-Za-z0-9]{16,}")


def proof(log: Log, hit: Hit, hits: tuple[Hit, ...]) -> tuple[str, ...]:
    """The proving line first, then a few that agree with it."""
    others = [
        other.line for other in hits if other.rank > SYMPTOM and other.cause == hit.cause and other.line != hit.line
    ]
    lines: list[str] = []
    for number in [hit.line, *rest_of(log, hit.line), *others]:
        text = quoted(log.raw[number])
        if text and text not in lines:
            lines.append(text)
    return tuple(lines[:6])


def telling_lines(log: Log, most: int) -> tuple[str, ...]:
    """The last lines that speak of trouble, or simply the last ones."""
    tail = [raw for raw in log.raw[-400:] if raw.strip()]
    telling = [raw for raw in tail if _TELLING.search(raw[:2000])]
    return tuple(quoted(raw) for raw in (telling or tail)[-most:])


def quoted(line: str) -> str:
    """A line as evidence: verbatim, bounded, and without a hub token."""
    text = line.strip()[:_LONGEST]
    return _TOKEN.sub("hf_***", text) if _TOKEN.search(text) else text
