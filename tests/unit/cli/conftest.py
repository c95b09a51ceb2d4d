"""A small API on loopback that answers as the deployed one does, for the command to talk to."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

PLAN: dict[str, Any] = {
    "server": "tgi", "server_version": "3.3.6", "image_uri": "repository/image:tag", "instance_type": "ml.g5.2xlarge",
    "instance_pools": None, "tensor_parallel_degree": 1, "environment": {"MAX_TOTAL_TOKENS": "4096"},
    "health_check_timeout_seconds": 900, "download_timeout_seconds": 600, "volume_size_gb": None,
    "inference_ami_version": None,
    "memory": {
        "gpu_total_gib": 22.0, "weights_gib": 15.0, "overhead_gib": 1.0, "kv_cache_gib": 4.0, "kv_cache_tokens": 30000,
        "max_total_tokens_supported": 30000,
    },
    "predicted_load_seconds": {"low": 60, "likely": 120, "high": 300}, "cost_per_hour_usd": 1.515,
}  # fmt: skip
FINDING = {
    "severity": "warning", "code": "VOLUME_NOT_ALLOWED", "field": "volume_size_gb", "message": "It was left out.",
    "fix": "Remove it.", "source": "",
}  # fmt: skip
DIAGNOSIS = {
    "cause": "STARTUP_TIMEOUT", "confidence": 0.9, "summary": "The window ended while it was loading.",
    "evidence": ["Loading: [21/29]"],
    "remedy": {
        "automatic": True, "allow": "timeouts", "changes": {"health_check_timeout_seconds": 1920},
        "explanation": "Give it longer.",
    },
}  # fmt: skip


def outcome(status: str, *phases: str, **more: Any) -> dict[str, Any]:
    """A deployment in that status that has been through the phases, a minute each."""
    timeline = [
        {"at": f"2026-11-24T12:{minute:02d}:00Z", "phase": phase, "detail": f"Now {phase}."}
        for minute, phase in enumerate(phases)
    ]
    ended = status in ("DEPLOYED", "NOT_DEPLOYED")
    return {
        "deployment_id": "d-1", "endpoint_name": "chat", "status": status, "phase": "done" if ended else phases[-1],
        "progress": 0.5, "plan": PLAN, "diagnosis": DIAGNOSIS if status == "NOT_DEPLOYED" else None,
        "attempts": [], "timeline": timeline, "cost_usd": 0.21, "links": {"page": "http://127.0.0.1:1/page#id=d-1"},
        "findings": [], **more,
    }  # fmt: skip


ACCEPTED = {"deployment_id": "d-1", "status_url": "…", "plan": PLAN, "findings": [FINDING]}


class FakeApi(ThreadingHTTPServer):
    """Answers by method and path: one answer each, or a list to be used up to its last."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[str, Any] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.signatures: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, call: str, *answers: tuple[int, Any]) -> None:
        """What `GET /deployments/d-1`, say, is answered with: (status, body), in this order."""
        self.answers[call] = list(answers)


class _Handler(BaseHTTPRequestHandler):
    server: FakeApi

    def _any(self) -> None:
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path, _, query = self.path.removeprefix("/v1").partition("?")
        self.server.asked.append((f"{self.command} {path}", query, json.loads(text) if text else None))
        self.server.signatures.append(self.headers.get("Authorization") or "")
        prepared = self.server.answers.get(f"{self.command} {path}", [(404, {"detail": f"there is no {path}"})])
        status, body = prepared.pop(0) if len(prepared) > 1 else prepared[0]
        answer = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_DELETE = _any

    def log_message(self, format: str, *arguments: Any) -> None:
        """Says nothing."""


@pytest.fixture
def given() -> SimpleNamespace:
    """The answers of a deployed API."""
    return SimpleNamespace(ACCEPTED=ACCEPTED, FINDING=FINDING, outcome=outcome)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    """The fake API, found by the command through INSERVICE_API_URL, with credentials that are nobody's."""
    server = FakeApi()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    monkeypatch.setenv("INSERVICE_API_URL", server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    yield server
    server.shutdown()
    server.server_close()
    thread.join()
