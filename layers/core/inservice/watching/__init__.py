"""Watching a start: one look at a time, and the verdict the log allows."""

from inservice.watching.look import look

__all__ = ["look"]
