"""What a known failure is made of: how it looks, how close to the root it is, what cures it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from inservice.contracts import Cause

# How close to the root a message is. Within one rank the earliest line wins, for later ones are consequences.
ROOT = 80  # the message itself names what is wrong, and a server prints it only when it gives up
SPECIFIC = 60  # an exception whose kind or words point to one cause
FRAMES = 45  # an exception without telling words, in a telling place
WEAK = 35  # may also be a consequence
SYMPTOM = 10  # a wrapper: proves a crash, never its cause


@dataclass(frozen=True)
class Sign:
    """One way a failure shows: a lower-case literal (searched first, fast), and a pattern the line must then hold."""

    literal: str
    pattern: re.Pattern[str] | None = None
    unless: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Failure:
    """A known failure: its cause, what to tell people, what to do, and the signs it shows."""

    key: str
    cause: Cause
    rank: int
    confidence: float
    says: str
    cure: str
    signs: tuple[Sign, ...]
    # Counts although the server calls the line information or a warning.
    at_any_level: bool = False
    # Advice and hints: an unlabelled line without a word of failure counts only once something has failed.
    needs_error: bool = False
    # Decides between several causes from the lines around a hit; gets the lines up to the hit, newest last.
    decide: Callable[[list[str], str], str | None] | None = None


def sign(literal: str, pattern: str | None = None, unless: str | None = None) -> Sign:
    """A sign; the pattern is searched in the line around the literal, case ignored."""
    return Sign(
        literal.lower(),
        re.compile(pattern, re.IGNORECASE) if pattern else None,
        re.compile(unless, re.IGNORECASE) if unless else None,
    )


def signs(*literals: str) -> tuple[Sign, ...]:
    """Signs that are plain literals."""
    return tuple(sign(literal) for literal in literals)
