"""SageMaker's runtime: a request goes to an instance of the endpoint, its answer comes back, or a ModelError."""

from __future__ import annotations

import http.client
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING

from simulator.fleet.fleet import Fleet
from simulator.fleet.instance import Instance
from simulator.wire.errors import AwsError

if TYPE_CHECKING:
    from simulator.simulation import Simulation

# InvokeEndpoint: containers have 60 s to answer; bodies are at most 25 MB in the API reference of 2025 and later.
_ANSWER_SECONDS = 60
Headers = Message | dict[str, str]
LARGEST_BODY = 25 * 1024 * 1024
_DICE = random.Random(11)
_MISSING = "Endpoint {name} of account {account} not found."


class ModelError(AwsError):
    """The container answered with an error; the body repeats it."""

    def __init__(self, status: int, answer: str, log_group: str, region: str, account: str) -> None:
        kind = "client" if status < 500 else "server"
        super().__init__(
            "ModelError",
            f'Received {kind} error ({status}) from primary with message "{answer}". See '
            f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={log_group} "
            f"in account {account} for more information.",
            424,
        )
        self.original_status, self.original = status, answer


@dataclass
class Invocation:
    """An answer on its way; `chunks` yields the body as the container sends it."""

    variant: str
    content_type: str
    chunks: Iterator[bytes] = field(default_factory=lambda: iter(()))

    def body(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks)


def invoke(simulation: Simulation, name: str, body: bytes, headers: Headers) -> Invocation:
    """Sends a request to one instance; AwsError for an unknown endpoint, ModelError for an error of the container."""
    endpoint = simulation.endpoints.get(name.lower())
    # Invocations match the case of the name, unlike everything else.
    if endpoint is None or endpoint.name != name or endpoint.fleet is None or endpoint.status == "Deleting":
        raise AwsError("ValidationError", _MISSING.format(name=name, account=simulation.settings.account))
    fleet = _fleet(endpoint.fleet, endpoint.pending_fleet)
    variant = headers.get("X-Amzn-SageMaker-Target-Variant")
    if variant and variant not in fleet.instances:
        raise AwsError("ValidationError", f"Variant {variant} of endpoint {name} not found.")
    instance = fleet.pick(variant, _DICE)
    group = f"/aws/sagemaker/Endpoints/{endpoint.name}"
    if instance is None:
        raise ModelError(503, "Your invocation timed out while waiting for a response from container primary.", group,
                         simulation.settings.region, simulation.settings.account)  # fmt: skip
    return _send(simulation, instance, body, headers, group)


def error_body(error: AwsError) -> bytes:
    """An error of the runtime as REST JSON."""
    if isinstance(error, ModelError):
        fields = {"Message": error.message, "OriginalMessage": error.original, "ErrorCode": "CLIENT_ERROR_FROM_MODEL",
                  "OriginalStatusCode": error.original_status}  # fmt: skip
        return json.dumps(fields).encode()
    return json.dumps({"Message": error.message}).encode()


def _fleet(serving: Fleet, pending: Fleet | None) -> Fleet:
    takes_over = pending is not None and pending.ready() and _DICE.random() < pending.share and serving is not pending
    return pending if takes_over and pending is not None else serving


def _send(simulation: Simulation, instance: Instance, body: bytes, headers: Headers, group: str) -> Invocation:
    assert instance.running is not None
    connection = http.client.HTTPConnection("127.0.0.1", instance.running.port, timeout=_ANSWER_SECONDS)
    kind = headers.get("Content-Type") or "application/octet-stream"
    try:
        connection.request("POST", "/invocations", body, {"Content-Type": kind})
        answer = connection.getresponse()
    except OSError:
        raise ModelError(500, "Your invocation timed out while waiting for a response from container primary.", group,
                         simulation.settings.region, simulation.settings.account) from None  # fmt: skip
    if answer.status >= 300:
        text = answer.read().decode(errors="replace")
        raise ModelError(answer.status, text, group, simulation.settings.region, simulation.settings.account)
    chunks = iter(lambda: answer.read1(65536), b"")
    return Invocation(instance.variant, answer.headers.get("Content-Type", kind), chunks)
