"""Starting containers, hearing what they print, and learning when they exit."""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from simulator.serving.filling import Fill, from_line
from simulator.serving.situation import Situation

_ROOT = Path(__file__).resolve().parents[2]
# SageMaker gives each ping two seconds (SageMaker developer guide, hosting containers).
_PING_SECONDS = 2.0


class Running:
    """One container's process, seen from outside."""

    def __init__(self, launcher: Launcher, name: str, port: int) -> None:
        self._launcher, self.name, self.port = launcher, name, port
        self.exited = threading.Event()
        self.exit_code: int | None = None
        self.fills: tuple[Fill, ...] = ()
        # Wall clock, in Unix seconds.
        self.started_at, self.exited_at = time.time(), float("inf")

    def healthy(self) -> bool:
        """Whether /ping answers 200 within two seconds."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=_PING_SECONDS) as connection:
                connection.sendall(b"GET /ping HTTP/1.1\r\nHost: model.aws.local:8080\r\nConnection: close\r\n\r\n")
                return connection.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    def stop(self, patience: float = 1.0) -> None:
        """SIGTERM, and SIGKILL after `patience` wall seconds."""
        if not self.exited.is_set():
            self._launcher.signal(self.name, signal.SIGTERM)
            if not self.exited.wait(patience):
                self._launcher.signal(self.name, signal.SIGKILL)


class Launcher:
    """The simulator's side of the forking server."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair()
        self._reports, their_reports = socket.socketpair()
        descriptors = (theirs.fileno(), their_reports.fileno())
        self._process = subprocess.Popen(
            [sys.executable, "-m", "simulator.containers.forking", *map(str, descriptors)], pass_fds=descriptors,
            cwd=_ROOT, env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(_ROOT)}, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        their_reports.close()
        self._lock, self._stopped = threading.Lock(), False
        self._names = itertools.count(1)
        self._running: dict[str, Running] = {}
        self._pipes = _Pipes()
        threading.Thread(target=self._hear_exits, daemon=True).start()

    def launch(self, situation: Situation, on_line: Callable[[str], None]) -> Running:
        """Starts a container; `on_line` is called from another thread with every line it prints."""
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        read_end, write_end = os.pipe()
        spec_read, spec_write = os.pipe()
        running = Running(self, f"c{next(self._names)}", listener.getsockname()[1])
        self._running[running.name] = running
        self._pipes.add(read_end, _told_to(running, on_line))
        self._order(f"start {running.name}", (listener.fileno(), write_end, spec_read))
        with os.fdopen(spec_write, "w") as specification:
            specification.write(situation.as_json())
        listener.close()
        os.close(write_end)
        os.close(spec_read)
        return running

    def signal(self, name: str, number: int) -> None:
        """Sends a signal to a container; nothing when it is gone."""
        with contextlib.suppress(OSError):
            self._order(f"signal {name} {int(number)}", ())

    def stop(self) -> None:
        """Ends the forking server and with it every container; later orders are ignored."""
        with self._lock:
            self._stopped = True
            self._control.close()
        self._process.terminate()
        self._process.wait(timeout=5)

    @property
    def process_id(self) -> int:
        """The forking server's process."""
        return self._process.pid

    def _order(self, words: str, descriptors: tuple[int, ...]) -> None:
        # One order at a time, each answered, so that orders and their descriptors never mix.
        with self._lock:
            if self._stopped:
                return
            socket.send_fds(self._control, [words.encode()], list(descriptors))
            if not self._control.recv(16):
                raise OSError("the forking server is gone")

    def _hear_exits(self) -> None:
        buffered = b""
        while data := self._reports.recv(4096):
            *lines, buffered = (buffered + data).split(b"\n")
            for line in lines:
                name, code = line.decode().split()
                running = self._running.pop(name, None)
                if running:
                    running.exit_code, running.exited_at = int(code), time.time()
                    running.exited.set()
        for running in list(self._running.values()):
            running.exited.set()


def _told_to(running: Running, on_line: Callable[[str], None]) -> Callable[[str], None]:
    def hear(line: str) -> None:
        if line.startswith("\0"):
            running.fills = from_line(line[1:])
        else:
            on_line(line)

    return hear


class _Pipes:
    """All containers' output, read by one thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._waiting: list[tuple[int, Callable[[str], None]]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def add(self, descriptor: int, on_line: Callable[[str], None]) -> None:
        """Reads a pipe until it ends."""
        self._waiting.append((descriptor, on_line))
        os.write(self._wake_write, b".")

    def _read(self) -> None:
        rests: dict[int, bytes] = {}
        while True:
            for key, _ in self._selector.select():
                if key.fd == self._wake_read:
                    os.read(self._wake_read, 4096)
                    self._take()
                else:
                    self._hear(key, rests)

    def _take(self) -> None:
        while self._waiting:
            descriptor, on_line = self._waiting.pop()
            self._selector.register(descriptor, selectors.EVENT_READ, on_line)

    def _hear(self, key: selectors.SelectorKey, rests: dict[int, bytes]) -> None:
        data = os.read(key.fd, 65536)
        *lines, rest = (rests.pop(key.fd, b"") + data).split(b"\n")
        if not data:
            self._selector.unregister(key.fd)
            os.close(key.fd)
            lines, rest = ([*lines, rest] if rest else lines), b""
        else:
            rests[key.fd] = rest
        for line in lines:
            key.data(line.decode(errors="replace"))
