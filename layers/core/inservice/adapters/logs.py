"""CloudWatch Logs: everything an endpoint's containers printed since a moment, complete to the last page."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, code_of, fault
from inservice.ports import LogLine


class CloudWatchLogs:
    """Logs through FilterLogEvents, whose pages may be empty before the last one."""

    def __init__(self, logs: Any = None) -> None:
        self._logs = logs or client("logs")

    def read(self, log_group: str, since_ms: int, *, max_bytes: int) -> list[LogLine] | None:
        """The lines from `since_ms` (Unix ms) on, oldest first, up to `max_bytes`; None without a log group."""
        lines: list[LogLine] = []
        size = 0
        for page in self._pages(log_group, since_ms):
            if page is None:
                return None
            lines += page
            size += _size(page)
            if size >= max_bytes:
                break
        return _in_order(lines)

    def read_both_ends(
        self, log_group: str, since_ms: int, *, max_bytes: int, keep: Callable[[LogLine], bool] | None = None
    ) -> list[LogLine] | None:
        """As `read`, but to the last page: of a log longer than `max_bytes` its first and its last half of that.

        `keep` is asked for each line in order; what it refuses takes no room.
        """
        head: list[LogLine] = []
        tail: deque[LogLine] = deque()
        head_size = tail_size = 0
        for page in self._pages(log_group, since_ms):
            if page is None:
                return None
            page = [line for line in page if keep is None or keep(line)]
            if head_size < max_bytes // 2:
                head += page
                head_size += _size(page)
                continue
            tail.extend(page)
            tail_size += _size(page)
            while tail_size > max_bytes // 2:
                tail_size -= len(tail.popleft().message)
        return _in_order([*head, *tail])

    def _pages(self, log_group: str, since_ms: int) -> Iterator[list[LogLine] | None]:
        """Each page's lines, or one None where there is no log group."""
        token = None
        while True:
            page = self._page(log_group, since_ms, token)
            if page is None:
                yield None
                return
            yield [_line(event) for event in page.get("events", [])]
            token = page.get("nextToken")
            if not token:
                return

    def _page(self, log_group: str, since_ms: int, token: str | None) -> dict[str, Any] | None:
        arguments: dict[str, Any] = {"logGroupName": log_group, "startTime": since_ms}
        if token:
            arguments["nextToken"] = token
        try:
            page: dict[str, Any] = self._logs.filter_log_events(**arguments)
            return page
        except ClientError as problem:
            if code_of(problem) == "ResourceNotFoundException":
                return None
            raise fault(problem) from None
        except BotoCoreError as problem:
            raise fault(problem) from None


def _size(lines: list[LogLine]) -> int:
    return sum(len(line.message) for line in lines)


def _in_order(lines: list[LogLine]) -> list[LogLine]:
    return sorted(lines, key=lambda line: line.at_ms)


def _line(event: dict[str, Any]) -> LogLine:
    return LogLine(
        at_ms=event["timestamp"],
        stream=event.get("logStreamName", ""),
        message=event["message"],
        event_id=event.get("eventId", ""),
    )
