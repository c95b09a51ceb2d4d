"""The one port: control plane, runtime, quotas, hub and control door, told apart by path and header."""

from __future__ import annotations

import json
import re
import sys
import traceback
import uuid
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from simulator import control
from simulator.control_plane.operations import perform, refuse_by_fault
from simulator.invoking import LARGEST_BODY, error_body, invoke
from simulator.simulation import Simulation
from simulator.wire.errors import AwsError
from simulator.wire.eventstream import payload_part
from simulator.wire.services import read_call, read_caller, write_answer

_INVOKE = re.compile(r"^/endpoints/([^/]+)/(invocations|invocations-response-stream)$")
_JSON = "application/x-amz-json-1.1"


class Server(ThreadingHTTPServer):
    """A loopback server with one simulation behind it."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int, simulation: Simulation) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.simulation = simulation
        simulation.url = self.url

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is its own business."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 300

    def do_GET(self) -> None:
        self._serve()

    do_PUT = do_DELETE = do_POST = do_HEAD = do_GET

    def _serve(self) -> None:
        body = self._read()
        path = self.path.split("?")[0]
        if body is None:
            return self._send(413, b'{"message": "the request body is too large"}')
        if path.startswith("/_simulator"):
            return self._control(path.removeprefix("/_simulator").strip("/"), body)
        if self.command in ("GET", "HEAD"):
            return self._hub(path)
        invoked = _INVOKE.match(path)
        return self._runtime(unquote(invoked[1]), invoked[2], body) if invoked else self._operation(body)

    def _operation(self, body: bytes) -> None:
        simulation, target = self.server.simulation, self.headers.get("X-Amz-Target") or ""
        caller, names = "anonymous", {}
        try:
            call = read_call(target, self.headers.get("Authorization"), body)
            caller = call.caller.access_key_id
            names = {key: value for key, value in call.arguments.items() if key.endswith("Name")}
            if self._disturbed(call.operation, call.arguments.get("EndpointName")):
                return simulation.record.call(simulation.clock.now(), call.operation, caller, "dropped", names)
            data = write_answer(call, perform(simulation, call))
        except AwsError as error:
            self._note(target.rpartition(".")[2], caller, f"{error.code}: {error.message}", names)
            return self._refuse(error)
        except Exception as error:
            traceback.print_exc()
            self._note(target.rpartition(".")[2], caller, f"InternalFailure: {error!r}", names)
            return self._refuse(AwsError("InternalFailure", "The request failed because of an internal error.", 500))
        self._note(call.operation, caller, "ok", names)
        return self._send(200, data, _JSON)

    def _runtime(self, name: str, kind: str, body: bytes) -> None:
        operation = "InvokeEndpoint" if kind == "invocations" else "InvokeEndpointWithResponseStream"
        simulation, caller = self.server.simulation, "anonymous"
        try:
            caller = read_caller(self.headers.get("Authorization")).access_key_id
            if self._disturbed(operation, name):
                return simulation.record.call(simulation.clock.now(), operation, caller, "dropped", {})
            refuse_by_fault(simulation, operation, name, caller)
            answer = invoke(simulation, name, body, self.headers)
            headers = {"x-Amzn-Invoked-Production-Variant": answer.variant}
            if kind == "invocations":
                self._send(200, answer.body(), answer.content_type, headers)
            else:
                self._stream(answer.chunks, {**headers, "X-Amzn-SageMaker-Content-Type": answer.content_type})
        except AwsError as error:
            self._note(operation, caller, f"{error.code}: {error.message}", {"EndpointName": name})
            return self._send(error.status, error_body(error), "application/json", {"x-amzn-errortype": error.code})
        return self._note(operation, caller, "ok", {"EndpointName": name})

    def _stream(self, chunks: Any, headers: dict[str, str]) -> None:
        self.send_response_only(200)
        self._headers({"Content-Type": "application/vnd.amazon.eventstream", "Transfer-Encoding": "chunked", **headers})
        for chunk in chunks:
            data = payload_part(chunk)
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def _hub(self, path: str) -> None:
        found = self.server.simulation.hub.get(
            unquote(path), self.headers.get("Authorization") or "", self.headers.get("Range") or ""
        )
        extra = {"X-Error-Code": found.error_code} if found.error_code else {}
        if found.content_range:
            extra |= {"Content-Range": found.content_range, "Accept-Ranges": "bytes"}
        self._send(found.status, found.body, found.content_type, extra)

    def _control(self, what: str, body: bytes) -> None:
        try:
            given = json.loads(body or b"null")
        except ValueError as problem:
            return self._send(400, json.dumps({"error": f"not JSON: {problem}"}).encode())
        status, answer = control.answer(self.server.simulation, self.command, what, given)
        return self._send(status, json.dumps(answer).encode())

    def _disturbed(self, operation: str, endpoint: str | None) -> bool:
        """Waits and drops as faults want it; True when the connection is to be closed without an answer."""
        simulation = self.server.simulation
        slow = simulation.faults.strike("latency", operation, endpoint)
        if slow:
            clock = simulation.clock
            clock.wait_until(clock.now() + float(slow.get("seconds", 1)), simulation.stopping)
        if simulation.faults.strike("dropped", operation, endpoint):
            self.close_connection = True
            return True
        return False

    def _refuse(self, error: AwsError) -> None:
        body = json.dumps({"__type": error.code, "message": error.message}).encode()
        self._send(error.status, body, _JSON, {"x-amzn-ErrorType": error.code})

    def _note(self, operation: str, caller: str, outcome: str, names: dict[str, str]) -> None:
        simulation = self.server.simulation
        simulation.record.call(simulation.clock.now(), operation, caller, outcome, names)

    def _read(self) -> bytes | None:
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _send(
        self, status: int, data: bytes, kind: str = "application/json", extra: dict[str, str] | None = None
    ) -> None:
        self.send_response_only(status)
        self._headers({"Content-Type": kind, "Content-Length": str(len(data)), **(extra or {})})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _headers(self, headers: dict[str, str]) -> None:
        self.send_header("Date", formatdate(self.server.simulation.clock.now(), usegmt=True))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """The control door lists calls instead."""
