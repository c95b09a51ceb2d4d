"""Log lines on their way: in batches, a little late, to CloudWatch Logs, and kept in memory for the control door."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict, deque
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.aws.clients import Engine
from simulator.clock import Clock
from simulator.faults import Faults

_BATCH_SECONDS = 0.15
_KEPT_LINES = 20_000
_Key = tuple[str, str]


class Logs:
    """Takes lines in virtual milliseconds; `engine` may be None. The fault `logs` delays and withholds them."""

    def __init__(self, engine: Engine | None, clock: Clock, faults: Faults) -> None:
        self._engine, self._clock, self._faults = engine, clock, faults
        self._lock = threading.Lock()
        self._waiting: dict[_Key, list[dict[str, Any]]] = defaultdict(list)
        self._kept: dict[str, deque[dict[str, Any]]] = defaultdict(lambda: deque(maxlen=_KEPT_LINES))
        self._known: set[_Key] = set()
        self._stop = threading.Event()
        self._sender = threading.Thread(target=self._send, daemon=True)
        if engine:
            self._sender.start()

    def add(self, group: str, stream: str, at_ms: int, text: str) -> None:
        """Keeps one line and queues it for the engine."""
        with self._lock:
            self._kept[group].append({"stream": stream, "timestamp": at_ms, "message": text})
            if self._engine and group.rpartition("/")[2] not in self._faults.value("logs", "withheld", ()):
                # CloudWatch Logs refuses empty messages; agents send a space.
                self._waiting[group, stream].append({"timestamp": at_ms, "message": text or " "})

    def lines(self, group: str) -> list[dict[str, Any]]:
        """The newest lines of a group."""
        with self._lock:
            return list(self._kept.get(group, ()))

    def groups(self) -> list[str]:
        """The groups that have lines."""
        with self._lock:
            return sorted(self._kept)

    def stop(self) -> None:
        """Sends what is queued."""
        self._stop.set()
        if self._engine:
            self._sender.join(timeout=10)

    def _send(self) -> None:
        while not self._stop.wait(_BATCH_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        until = (self._clock.now() - float(self._faults.value("logs", "delay_seconds", 0))) * 1000
        due = float("inf") if self._stop.is_set() else until
        with self._lock:
            batches = {key: [e for e in events if e["timestamp"] <= due] for key, events in self._waiting.items()}
            late = {key: [e for e in events if e["timestamp"] > due] for key, events in self._waiting.items()}
            self._waiting = defaultdict(list, {key: events for key, events in late.items() if events})
        for key, events in batches.items():
            for begin in range(0, len(events), 1000):
                self._put(key, events[begin : begin + 1000])

    def _put(self, key: _Key, events: list[dict[str, Any]]) -> None:
        assert self._engine is not None
        logs, (group, stream) = self._engine.client("logs"), key
        try:
            if key not in self._known:
                _unless_there(logs.create_log_group, logGroupName=group)
                _unless_there(logs.create_log_stream, logGroupName=group, logStreamName=stream)
                self._known.add(key)
            logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)
        except (ClientError, BotoCoreError) as problem:
            # A group deleted meanwhile is made again with the next batch, as the agent does.
            self._known.discard(key)
            print(f"log lines for {group} were not delivered: {problem}", file=sys.stderr, flush=True)


def _unless_there(create: Any, **arguments: str) -> None:
    try:
        create(**arguments)
    except ClientError as problem:
        if problem.response["Error"]["Code"] != "ResourceAlreadyExistsException":
            raise
