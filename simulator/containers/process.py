"""The body of one container: plays its start, then serves until it is told to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from simulator.containers.answers import Answer, answer
from simulator.serving.filling import as_line
from simulator.serving.situation import Situation
from simulator.serving.start import Served, play

_READ_SECONDS = 60


def run(situation: Situation, listener: socket.socket, output: int) -> int:
    """Plays the start in virtual time; returns the exit code, or serves for ever."""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    story, served = play(situation)
    # Not the server's: NUL tells the launcher, which keeps it from the log.
    os.write(output, b"\0" + as_line(story.fills).encode() + b"\n")
    for moment, line in story.lines:
        _sleep_until(situation, moment)
        os.write(output, line.encode() + b"\n")
    _sleep_until(situation, story.now)
    if served is None:
        return story.exit_code or 1
    if situation.dies_after is not None:
        threading.Thread(target=_die, args=(situation, output), daemon=True).start()
    _serve(served, listener, output)
    return 0


def _sleep_until(situation: Situation, moment: float) -> None:
    now = situation.epoch + (time.time() - situation.epoch) * situation.time_scale
    if moment > now:
        time.sleep((moment - now) / situation.time_scale)


def _die(situation: Situation, output: int) -> None:
    _sleep_until(situation, situation.started_at + (situation.dies_after or 0.0))
    os.write(output, b"Fatal Python error: Segmentation fault\n")
    os._exit(139)


def _serve(served: Served, listener: socket.socket, output: int) -> None:
    handler = type("Handler", (_Handler,), {"served": served, "output": output})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler, bind_and_activate=False)
    server.socket.close()
    server.socket, server.daemon_threads = listener, True
    server.server_activate()
    server.serve_forever(poll_interval=30)


class _Handler(BaseHTTPRequestHandler):
    served: Served
    output: int
    protocol_version = "HTTP/1.1"
    timeout = _READ_SECONDS

    def do_GET(self) -> None:
        known = self.path in ("/ping", "/health")
        self._log(200 if known else 404)
        self._send(200 if known else 404, b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            return self._send(404, b"{}", "application/json")
        found = answer(self.served, body)
        return self._stream(found) if found.parts else self._send_json(found.status, found.body)

    def _send_json(self, status: int, body: Any) -> None:
        self._log(status)
        self._send(status, json.dumps(body).encode(), "application/json")

    def _send(self, status: int, data: bytes, kind: str) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _stream(self, found: Answer) -> None:
        self._log(200)
        self.send_response_only(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for part in found.parts:
            self.wfile.write(b"data: " + json.dumps(part).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _log(self, status: int) -> None:
        # SageMaker's pings come from this link-local address (public logs of endpoints that run uvicorn).
        if self.served.access_log is not None:
            request = f'"{self.command} {self.path} HTTP/1.1" {status} {HTTPStatus(status).phrase}'
            line = f"{self.served.access_log}INFO:     169.254.178.2:{self.client_address[1]} - {request}\n"
            os.write(self.output, line.encode())

    def log_message(self, *_: Any) -> None:
        """What http.server itself would print."""
