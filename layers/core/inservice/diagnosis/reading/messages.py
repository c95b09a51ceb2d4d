"""Messages: what a process prints before each line of one, and which of the lines below go on with it."""

from __future__ import annotations

import re

from inservice.diagnosis.reading.log import Log

_MOST = 2
# vLLM prints its process and its record's head before each line of a message or a traceback.
_HEAD = re.compile(r"(?:\(\w[^)]{0,80}\) |\[rank\d+\]: )?(?:[A-Z]+ \d\d-\d\d \d\d:\d\d:\d\d \[?[\w./]+:\d+\] ?)?")
# What is no part of a message: a new record, a frame, the mark below a source line, nothing.
_ANOTHER = re.compile(r"\s*(?:Traceback|File |\[rank|\(|\[|\d{4}-|INFO|WARN|ERROR|CRITICAL|\^|$)")


def rest_of(log: Log, number: int) -> list[int]:
    """The numbers of the lines that go on with the message at `number`: two at most."""
    head = _head_of(log.lines[number])
    more: list[int] = []
    for following in range(number + 1, min(number + 1 + _MOST, len(log.lines))):
        if _ANOTHER.match(log.lines[following].removeprefix(head)):
            break
        more.append(following)
    return more


def whole(log: Log, number: int) -> str:
    """The message at `number` in one line."""
    return " ".join(log.lines[line].strip() for line in (number, *rest_of(log, number)))


def headless(line: str) -> str:
    """What a line says behind the name of its process and the head of its record."""
    return line.removeprefix(_head_of(line))


def _head_of(line: str) -> str:
    head = _HEAD.match(line)
    return head[0] if head else ""
