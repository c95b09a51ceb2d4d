"""One container at a time on an instance: started, listened to, pinged, restarted until the window ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from simulator.clock import Clock
from simulator.servers import Start

_PROGRAM = Path(__file__).with_name("container.py")
# SageMaker pings every few seconds and gives each ping 2 s; containers that exit are started again.
_PING_SECONDS, _RESTART_SECONDS = 5.0, 12.0


class Container:
    """A process that plays one start."""

    def __init__(self, start: Start, clock: Clock, line: Callable[[float, str], None]) -> None:
        self._clock, self._line = clock, line
        self.port: int | None = None
        began = clock.now()
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_PROGRAM)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={"PATH": os.environ.get("PATH", "")},
        )  # fmt: skip
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(_script(start, clock, began)) + "\n")
        self._process.stdin.flush()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            said = json.loads(text)
            if "port" in said:
                self.port = said["port"]
            elif "line" in said:
                self._line(said["at"], said["line"])

    @property
    def exited(self) -> bool:
        """Whether the process has ended."""
        return self._process.poll() is not None

    def ready(self) -> bool:
        """Whether /ping answers 200."""
        if self.port is None or self.exited:
            return False
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def invoke(self, body: bytes) -> tuple[int, bytes]:
        """(status, body) of the container's /invocations."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/invocations", data=body, method="POST")
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read()
        except OSError as problem:
            return 500, str(problem).encode()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL."""
        self._process.terminate()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def until_ready(
    begin: Callable[[], Container], clock: Clock, window_seconds: float, stop: threading.Event
) -> Container | None:
    """The container once it answers pings; None when the window ended first, after however many restarts."""
    ends = clock.now() + window_seconds
    container = begin()
    while not stop.is_set() and clock.now() < ends:
        if container.ready():
            return container
        if container.exited:
            if clock.wait_until(min(ends, clock.now() + _RESTART_SECONDS), stop) or clock.now() >= ends:
                break
            container = begin()
        clock.wait_until(min(ends, clock.now() + _PING_SECONDS), stop)
    container.stop()
    return None


def _script(start: Start, clock: Clock, began: float) -> dict[str, Any]:
    return {
        "epoch": clock.epoch,
        "scale": clock.scale,
        "lines": [[began + at, _stamped(text, began + at)] for at, text in start.lines],
        "ends_at": began + start.now,
        "exit_code": start.exit_code,
        "server": start.server,
        "model": start.model,
        "chat": start.chat,
    }


def _stamped(text: str, moment: float) -> str:
    at = datetime.fromtimestamp(moment, UTC)
    return text.replace("{at}", at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")).replace("{day}", at.strftime("%m-%d %H:%M:%S"))
