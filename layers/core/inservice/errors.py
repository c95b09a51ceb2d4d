"""The faults a step raises; everything expected travels as data instead.

Step Functions matches an error by its class name, exactly and without inheritance, so the tree is flat.
"""

from __future__ import annotations


class InServiceError(Exception):
    """A fault with what happened and what to do about it; `field` is what is at fault in the input, if it is that."""

    def __init__(self, message: str = "", *, fix: str = "", field: str = "") -> None:
        super().__init__(f"{message}; {fix}" if fix else message)
        self.what, self.fix, self.field = message, fix, field


# What to do about an id that nobody gave out.
LISTED = "GET /deployments lists them, newest first"


class NotFound(InServiceError):
    """The deployment, secret or resource that was asked for does not exist."""


class Conflict(InServiceError):
    """Another deployment holds the endpoint; the message names its id."""


class Superseded(InServiceError):
    """Another execution has taken this deployment over; this one must not touch it any more."""


class Unreadable(InServiceError):
    """Input that is not what it should be, with where and how to correct it."""


class Unavailable(InServiceError):
    """A service did not answer, or throttled; worth another try later."""


class Refused(InServiceError):
    """AWS refused a call in words that say why; the words become the FailureReason of the attempt."""
