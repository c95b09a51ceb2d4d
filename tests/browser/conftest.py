"""A headless Chromium and an API on loopback that serves the page and tells a story, one outcome a look."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from inservice.contracts import Outcome

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "web" / "index.html"


def _runs(program: str | None) -> bool:
    """Whether it is a browser: some systems have a script of that name that only tells where to get one."""
    return program is not None and subprocess.run([program, "--version"], capture_output=True).returncode == 0


CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if _runs(found := shutil.which(name))), None
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips what lies here, with the reason, on a machine without a browser."""
    if CHROMIUM is None:
        why = pytest.mark.skip(reason="there is no Chromium on this machine; apt-get install chromium, or its like")
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(why)


@dataclass
class Api:
    """GET /v1/page, /v1/slack, /v1/deployments and /v1/deployments/{id}; `story` advances by one outcome a look."""

    url: str = ""
    story: list[Outcome] = field(default_factory=list)
    listed: list[Outcome] = field(default_factory=list)
    messages: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    looks: int = 0

    def answer(self, path: str) -> tuple[int, Any]:
        if self.status != 200:
            return self.status, {"message": "Missing Authentication Token"}
        if path.endswith("/slack"):
            return 200, [{"at": "2026-03-02T09:36:02Z", "body": message} for message in self.messages]
        if path.endswith("/deployments") or "?" in path:
            older = "next=older" in path
            found = self.listed[2:] if older else self.listed[:2]
            following = None if older or len(self.listed) < 3 else "older"
            return 200, {"deployments": [outcome.as_json() for outcome in found], "next": following}
        if not self.story:
            return 404, {"detail": "no such deployment"}
        self.looks += 1
        return 200, self.story[min(self.looks, len(self.story)) - 1].as_json()


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/v1/page":
                self._send(200, "text/html; charset=utf-8", PAGE.read_bytes())
            else:
                status, body = api.answer(self.path)
                self._send(status, "application/json", json.dumps(body).encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}/v1/page"
    yield api
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import expect, sync_playwright

    # The page asks every three seconds; a busy machine may take several more.
    expect.set_options(timeout=20_000)

    with sync_playwright() as playwright:
        # A container's root user has no user namespaces to build Chromium's sandbox from.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Window:
    """A browser tab with everything it complained about and every address it asked for."""

    page: Any
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def picture(self, name: str) -> None:
        (HERE / "artefacts").mkdir(exist_ok=True)
        self.page.screenshot(path=HERE / "artefacts" / f"{name}.png", full_page=True)


@pytest.fixture
def window(chromium: Any) -> Iterator[Window]:
    page = chromium.new_page(viewport={"width": 1000, "height": 800})
    page.set_default_timeout(15_000)
    window = Window(page)
    page.on("console", lambda it: window.complaints.append(it.text) if it.type in ("error", "warning") else None)
    page.on("pageerror", lambda it: window.complaints.append(str(it)))
    page.on("request", lambda it: window.asked.append(it.url))
    yield window
    page.close()
