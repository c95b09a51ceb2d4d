"""The loopback port: SageMaker's control plane and runtime, its two neighbours, and the control interface."""

from __future__ import annotations

import json
import re
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from simulator.hosting import Hosting
from simulator.neighbours import hub, quotas
from simulator.protocol import Refusal

_LONGEST_BODY = 6 * 1024 * 1024


def serve(port: int, hosting: Hosting) -> ThreadingHTTPServer:
    """A server bound to the port, ready to `serve_forever`."""
    handler = type("Handler", (_Handler,), {"hosting": hosting})
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    hosting: Hosting
    protocol_version = "HTTP/1.1"
    timeout = 120

    def do_GET(self) -> None:
        if self.path.startswith("/_simulator/"):
            return self._json(200, _control(self.hosting, self.path.removeprefix("/_simulator/")))
        status, body = hub(self.hosting, self.path.split("?")[0], self.headers.get("Authorization") or "")
        return self._json(status, body)

    def do_PUT(self) -> None:
        body = self._body()
        if self.path != "/_simulator/faults" or not isinstance(body, dict):
            return self._json(404, {"error": "PUT /_simulator/faults with a JSON object"})
        unknown = set(body) - set(self.hosting.faults)
        if unknown:
            return self._json(400, {"error": f"unknown faults {sorted(unknown)}; known: {sorted(self.hosting.faults)}"})
        self.hosting.faults.update(body)
        return self._json(200, self.hosting.faults)

    def do_POST(self) -> None:
        invoked = re.fullmatch(r"/endpoints/([^/]+)/invocations", self.path)
        if invoked:
            return self._invoke(invoked[1])
        service, _, operation = (self.headers.get("X-Amz-Target") or "").partition(".")
        try:
            return self._json(200, self._called(service, operation), "application/x-amz-json-1.1")
        except Refusal as refusal:
            return self._refuse(refusal)

    def _called(self, service: str, operation: str) -> dict[str, Any]:
        body = self._body()
        if body is _UNREADABLE:
            raise Refusal("The request body is not JSON.", "SerializationException")
        if service == "SageMaker":
            return self.hosting.call(operation, body, self._caller())
        if service == "ServiceQuotasV20190624":
            return quotas(self.hosting, operation, body)
        raise Refusal("The action or operation requested is invalid.", "UnknownOperationException", 404)

    def _invoke(self, name: str) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        endpoint = self.hosting.endpoints.get(name.lower())
        # Invocations match the case of the name, unlike everything else.
        if endpoint is None or endpoint.name != name or endpoint.container is None:
            return self._refuse(Refusal(f"Endpoint {name} of account 000000000000 not found.", "ValidationError"))
        status, answer = endpoint.container.invoke(data)
        if status == 200:
            return self._send(200, answer, "application/json")
        text = answer.decode(errors="replace")
        body = {
            "Message": f'Received client error ({status}) from primary with message "{text}".',
            "OriginalMessage": text,
            "OriginalStatusCode": status,
        }
        return self._json(424, body, error="ModelError")

    def _caller(self) -> str:
        """The access key that signed the request."""
        match = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization") or "")
        return match[1] if match else "anonymous"

    def _body(self) -> Any:
        data = self.rfile.read(min(_LONGEST_BODY, int(self.headers.get("Content-Length") or 0)))
        try:
            return json.loads(data or b"{}")
        except ValueError:
            return _UNREADABLE

    def _refuse(self, refusal: Refusal) -> None:
        self._json(
            refusal.status,
            {"__type": refusal.code, "message": refusal.message},
            "application/x-amz-json-1.1",
            refusal.code,
        )

    def _json(self, status: int, body: Any, kind: str = "application/json", error: str = "") -> None:
        self._send(status, json.dumps(body).encode(), kind, error)

    def _send(self, status: int, data: bytes, kind: str, error: str = "") -> None:
        self.send_response_only(status)
        self.send_header("Date", formatdate(self.hosting.clock.now(), usegmt=True))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if error:
            self.send_header("x-amzn-errortype", error)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """The control interface lists calls instead."""


_UNREADABLE = object()


def _control(hosting: Hosting, what: str) -> Any:
    if what == "calls":
        return hosting.calls
    if what == "resources":
        endpoints = {e.name: e.status for e in hosting.endpoints.values()}
        return {"endpoints": endpoints, "configs": sorted(hosting.configs), "models": sorted(hosting.models)}
    if what.startswith("logs/"):
        return hosting.engine.lines("/" + what.removeprefix("logs/"))
    return {"calls": "GET calls", "resources": "GET resources", "logs": "GET logs/GROUP", "faults": "PUT faults"}
