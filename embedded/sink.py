"""A stand-in for Slack's incoming webhook: keeps every message, and fails on demand as Slack does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from inservice.clock import Clock


@contextmanager
def slack_sink(clock: Clock) -> Iterator[str]:
    """Serves on a free loopback port and yields the URL.

    POST keeps a message; GET lists them as `[{"at", "body"}]`; PUT `{"status": 429, "times": 2}` makes the next two
    posts fail with that status.
    """
    server = _Sink(("127.0.0.1", 0), _Handler)
    server.clock = clock
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Sink(ThreadingHTTPServer):
    daemon_threads = True
    clock: Clock

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.messages: list[dict[str, Any]] = []
        self.failures: list[int] = []
        self.lock = threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: _Sink
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        text = self._body()
        with self.server.lock:
            failure = self.server.failures.pop(0) if self.server.failures else None
            if failure is None:
                self.server.messages.append({"at": self.server.clock.now().isoformat(), "body": _decoded(text)})
        # A webhook answers "ok" as text, and a rate limit with Retry-After in seconds (docs.slack.dev, rate limits).
        if failure is None:
            self._answer(200, "ok", "text/plain")
        else:
            self._answer(failure, "rate_limited" if failure == 429 else "failed", "text/plain")

    def do_GET(self) -> None:
        with self.server.lock:
            messages = json.dumps(self.server.messages)
        self._answer(200, messages, "application/json")

    def do_PUT(self) -> None:
        wanted = _decoded(self._body())
        try:
            failures = [int(wanted["status"])] * int(wanted.get("times", 1))
        except (TypeError, KeyError, ValueError, AttributeError):
            self._answer(400, 'send {"status": 429, "times": 2}', "text/plain")
            return
        with self.server.lock:
            self.server.failures = failures
        self._answer(200, "ok", "text/plain")

    def _body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode(errors="replace")

    def _answer(self, status: int, text: str, content_type: str) -> None:
        body = text.encode()
        self.send_response(status)
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing: the messages themselves are the log."""


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
