"""CloudWatch Logs: everything an endpoint's containers printed since a moment, complete to the last page."""

from __future__ import annotations

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
        size, token = 0, None
        while True:
            page = self._page(log_group, since_ms, token)
            if page is None:
                return None
            for event in page.get("events", []):
                lines.append(_line(event))
                size += len(event["message"])
            token = page.get("nextToken")
            if not token or size >= max_bytes:
                return sorted(lines, key=lambda line: line.at_ms)

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


def _line(event: dict[str, Any]) -> LogLine:
    return LogLine(
        at_ms=event["timestamp"],
        stream=event.get("logStreamName", ""),
        message=event["message"],
        event_id=event.get("eventId", ""),
    )
