"""The hub as it answers: a model that may be read, one that may not, one that is not there, and no answer at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from inservice.adapters.hub import HubClient
from inservice.errors import Unavailable

HEADER = json.dumps({"__metadata__": {}, "a": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 1234]}}).encode()
FILE = len(HEADER).to_bytes(8, "little") + HEADER + b"weights"
CONFIG = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2}


class Hub(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        authorized = self.headers.get("Authorization") == "Bearer good"
        if "/missing/" in self.path:
            return self._say(404, b"{}")
        if self.path.startswith("/api/models/"):
            size = {"size": 5000} if "listed" in self.path else {}
            return self._say(200, json.dumps({"siblings": [{"rfilename": "model.safetensors", **size}]}).encode())
        if "gated" in self.path and not authorized:
            return self._say(403 if self.headers.get("Authorization") else 401, b"{}")
        if self.path.endswith("config.json"):
            return self._say(200, json.dumps(CONFIG).encode())
        first, last = (int(part) for part in self.headers["Range"].removeprefix("bytes=").split("-"))
        return self._say(206, FILE[first : last + 1])

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def hub() -> Iterator[HubClient]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield HubClient(f"http://127.0.0.1:{server.server_address[1]}")
    server.shutdown()
    server.server_close()


def test_an_open_model_tells_its_architecture_and_listed_size(hub: HubClient) -> None:
    found = hub.describe("someone/listed", None, None)
    assert (found.access, found.config, found.weight_bytes) == ("ok", CONFIG, 5000)


def test_a_size_that_is_not_listed_is_read_from_the_files_own_headers(hub: HubClient) -> None:
    assert hub.describe("someone/plain", None, None).weight_bytes == 1234


@pytest.mark.parametrize(("token", "access"), [(None, "gated"), ("bad", "gated"), ("good", "ok")])
def test_a_gated_model_asks_for_a_token_with_access(hub: HubClient, token: str | None, access: str) -> None:
    assert hub.describe("someone/gated", None, token).access == access


def test_what_is_not_there_is_missing_and_silence_is_no_answer(hub: HubClient) -> None:
    assert hub.describe("missing/model", None, None).access == "missing"
    with pytest.raises(Unavailable):
        HubClient("http://127.0.0.1:9").describe("someone/model", None, None)
