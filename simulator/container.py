"""A container as a real process: prints its lines when they are due, answers /ping once loaded, and serves.

Run as a program of its own with nothing but the standard library; its script comes as one line of JSON on standard
input, and the end of standard input is the end of the process, so that none outlives the simulator.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SCRIPT: dict[str, Any] = {}
READY = threading.Event()


def main() -> None:
    """Plays the script: lines, then either an exit code or serving."""
    SCRIPT.update(json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_the_simulator, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(143))
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _say({"port": server.server_address[1]})
    for at, line in SCRIPT["lines"]:
        _sleep_until(at)
        _say({"at": at, "line": line})
    _sleep_until(SCRIPT["ends_at"])
    if SCRIPT["exit_code"] is not None:
        _say({"at": SCRIPT["ends_at"], "exit": SCRIPT["exit_code"]})
        os._exit(SCRIPT["exit_code"])
    READY.set()
    threading.Event().wait()


def _sleep_until(at: float) -> None:
    """Until a virtual moment, however long Python itself took to start."""
    while True:
        now = SCRIPT["epoch"] + (time.time() - SCRIPT["epoch"]) * SCRIPT["scale"]
        if now >= at:
            return
        time.sleep(max(0.001, min((at - now) / SCRIPT["scale"], 5)))


def _say(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_the_simulator() -> None:
    sys.stdin.read()
    os._exit(137)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(200 if READY.is_set() and self.path == "/ping" else 503, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if not READY.is_set():
            return self._answer(503, {"error": "the model is still loading"})
        try:
            asked = json.loads(body)
        except ValueError as problem:
            return self._answer(400, {"error": f"Failed to parse the request body as JSON: {problem}"})
        status, answer = _reply(asked)
        return self._answer(status, answer)

    def _answer(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Servers' access logs are not part of a start."""


def _reply(asked: Any) -> tuple[int, Any]:
    """An answer in the server's own schema, or the error that server gives for another one's."""
    if not isinstance(asked, dict):
        return 422, {"error": "the body is not an object"}
    text = f"Hello! I am {SCRIPT['model']}, and I am running."
    if "messages" in asked and SCRIPT["chat"]:
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        return 200, {"object": "chat.completion", "model": SCRIPT["model"], "choices": [choice]}
    if "inputs" in asked and SCRIPT["server"] in ("tgi", "lmi"):
        return 200, [{"generated_text": text}]
    if "prompt" in asked and SCRIPT["server"] in ("vllm", "sglang"):
        return 200, {"object": "text_completion", "choices": [{"index": 0, "text": text, "finish_reason": "stop"}]}
    return 422, {"error": "Failed to deserialize the JSON body into the target type: missing field `inputs`"}


if __name__ == "__main__":
    main()
