"""`inservice logs`: an endpoint's log from its first line to its last."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from inservice.planning.names import log_group_of

from cli.api import Service, find_service
from cli.looking import newest
from cli.problems import ApiError
from cli.telling import RUNNING, say

# CloudWatch Logs may show a line some seconds after the time it carries; such a line is still waited for.
_LATE_MS = 60_000
_QUIET_LOOKS = 3


def run(
    name: str, *, follow: bool, json_output: bool, service: Service | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> int:  # fmt: skip
    """Prints every line once; with `follow` until the deployment has ended and no line comes any more."""
    service = service or find_service()
    outcome = newest(service, name)
    group = log_group_of(outcome["endpoint_name"])
    log, pause = Log(service.client("logs"), group), max(0.5, 2.0 / service.time_scale)
    quiet = 0
    while True:
        ended = outcome["status"] not in RUNNING
        lines = list(log.news())
        for line in lines:
            say(json.dumps(line) if json_output else _shown(line))
        quiet = 0 if lines or not ended else quiet + 1
        if not follow or quiet >= _QUIET_LOOKS:
            return 0
        sleep(pause)
        outcome = outcome if ended else service.call("GET", f"/deployments/{outcome['deployment_id']}")


class Log:
    """A log group read again and again, each event once, late ones included."""

    def __init__(self, client: Any, group: str) -> None:
        self._client, self._group = client, group
        self._from_ms = 0
        self._seen: dict[str, int] = {}

    def news(self) -> Iterator[dict[str, Any]]:
        """The events not yet given, oldest first; ApiError when the log cannot be read, nothing when there is none."""
        for event in sorted(self._events(), key=lambda found: found["timestamp"]):
            if event["eventId"] not in self._seen:
                self._seen[event["eventId"]] = event["timestamp"]
                self._from_ms = max(self._from_ms, event["timestamp"] - _LATE_MS)
                yield {"at": event["timestamp"], "stream": event["logStreamName"], "message": event["message"]}
        self._seen = {name: at for name, at in self._seen.items() if at >= self._from_ms}

    def _events(self) -> list[dict[str, Any]]:
        """Every page: the last one may hold the only lines that matter."""
        found: list[dict[str, Any]] = []
        asked: dict[str, Any] = {"logGroupName": self._group, "startTime": self._from_ms}
        try:
            while True:
                page = self._client.filter_log_events(**asked)
                found += page["events"]
                if not page.get("nextToken"):
                    return found
                asked["nextToken"] = page["nextToken"]
        except ClientError as problem:
            if problem.response["Error"]["Code"] == "ResourceNotFoundException":
                return found
            raise ApiError(f"the log {self._group} cannot be read: {problem}; logs:FilterLogEvents is needed") from None
        except BotoCoreError as problem:
            raise ApiError(f"the log {self._group} cannot be read: {problem}") from None


def _shown(line: dict[str, Any]) -> str:
    moment = datetime.fromtimestamp(line["at"] / 1000, UTC)
    return f"{moment:%H:%M:%S} {line['message'].rstrip()}"
