"""Where the containers' lines go: an emulator's CloudWatch Logs, or memory where there is none."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

_BATCH_SECONDS = 0.15


class Engine(Protocol):
    """Takes log lines of virtual milliseconds."""

    def line(self, group: str, stream: str, at_ms: int, text: str) -> None: ...
    def lines(self, group: str) -> list[dict[str, Any]]: ...
    def stop(self) -> None: ...


def engine_at(url: str | None, region: str) -> Engine:
    """The engine at that address; one in memory without an address."""
    return CloudWatch(url, region) if url else Memory()


class Memory:
    """Lines kept in memory, readable through the control interface."""

    def __init__(self) -> None:
        self._lines: dict[str, list[dict[str, Any]]] = {}

    def line(self, group: str, stream: str, at_ms: int, text: str) -> None:
        """Keeps one line."""
        self._lines.setdefault(group, []).append({"stream": stream, "timestamp": at_ms, "message": text})

    def lines(self, group: str) -> list[dict[str, Any]]:
        """The lines of a group."""
        return list(self._lines.get(group, []))

    def stop(self) -> None:
        """Nothing runs."""


class CloudWatch:
    """Lines sent in batches to an emulator's CloudWatch Logs, a little late, as on AWS."""

    def __init__(self, url: str, region: str) -> None:
        self._logs: Any = boto3.client(
            "logs", endpoint_url=url, region_name=region,
            aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
            aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        )  # fmt: skip
        self._waiting: queue.Queue[tuple[str, str, int, str] | None] = queue.Queue()
        self._known: set[tuple[str, str]] = set()
        self._sender = threading.Thread(target=self._send, daemon=True)
        self._sender.start()

    def line(self, group: str, stream: str, at_ms: int, text: str) -> None:
        """Queues one line."""
        self._waiting.put((group, stream, at_ms, text))

    def lines(self, group: str) -> list[dict[str, Any]]:
        """The lines are the emulator's to tell."""
        return []

    def stop(self) -> None:
        """Sends what is queued."""
        self._waiting.put(None)
        self._sender.join(timeout=5)

    def _send(self) -> None:
        pause = threading.Event()
        while True:
            first = self._waiting.get()
            if first is None:
                return
            pause.wait(_BATCH_SECONDS)
            batches: dict[tuple[str, str], list[dict[str, Any]]] = {}
            ended = False
            item: tuple[str, str, int, str] | None = first
            while item is not None:
                batches.setdefault(item[:2], []).append({"timestamp": item[2], "message": item[3]})
                try:
                    item = self._waiting.get_nowait()
                    ended = item is None
                except queue.Empty:
                    item = None
            for (group, stream), events in batches.items():
                self._put(group, stream, events)
            if ended:
                return

    def _put(self, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        exists = (ClientError, BotoCoreError)
        if (group, stream) not in self._known:
            with contextlib.suppress(*exists):
                self._logs.create_log_group(logGroupName=group)
            with contextlib.suppress(*exists):
                self._logs.create_log_stream(logGroupName=group, logStreamName=stream)
            self._known.add((group, stream))
        # An empty line is no event: PutLogEvents would refuse the whole batch, and the agents leave it out.
        said = sorted((event for event in events if event["message"]), key=lambda event: event["timestamp"])
        if not said:
            return
        try:
            self._logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=said)
        except exists as problem:
            print(f"lines of {group} were lost: {problem}", file=sys.stderr, flush=True)
