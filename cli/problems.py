"""What can go wrong with a command: nothing here loads more than the standard library, for TAB must be quick."""

from __future__ import annotations

from typing import Any


class Problem(Exception):
    """What the command could not do, in words that end with what to do about it."""

    exit_status = 1

    def __init__(self, message: str, *, status: int | None = None, findings: tuple[dict[str, Any], ...] = ()) -> None:
        super().__init__(message)
        self.status, self.findings = status, findings


class ApiError(Problem):
    """The API, or AWS, did not do what was asked: what it said, and its findings if there are any."""


class Unusable(Problem):
    """What the command was given cannot be read or makes no sense."""

    exit_status = 2
