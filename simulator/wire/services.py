"""The services' models as botocore ships them, and one call read from an HTTP request."""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from simulator.wire import shapes
from simulator.wire.errors import AwsError

# X-Amz-Target prefixes, from the targetPrefix of each service model.
_SERVICES = {"SageMaker": "sagemaker", "ServiceQuotasV20190624": "service-quotas"}


@dataclass(frozen=True)
class Caller:
    """Who signed the request, as far as the signature tells."""

    access_key_id: str
    region: str
    service: str


@dataclass(frozen=True)
class Call:
    """One validated request to one operation."""

    service: str
    operation: str
    arguments: dict[str, Any]
    caller: Caller


def read_call(target: str, authorization: str | None, body: bytes) -> Call:
    """The call a JSON 1.1 request makes; raises the error AWS would answer with."""
    caller = read_caller(authorization)
    prefix, _, operation = target.rpartition(".")
    service = _SERVICES.get(prefix)
    if service is None or operation not in service_model(service).operation_names:
        raise AwsError("UnknownOperationException", f"The operation {target!r} is not known", 400)
    arguments = _parse(body)
    shape = service_model(service).operation_model(operation).input_shape
    if shape is not None:
        shapes.check(shape, arguments)
    return Call(service, operation, {key: item for key, item in arguments.items() if item is not None}, caller)


def write_answer(call: Call, answer: dict[str, Any] | None) -> bytes:
    """The response body, cut to the operation's output shape."""
    shape = service_model(call.service).operation_model(call.operation).output_shape
    return json.dumps(shapes.cut(shape, answer or {})).encode() if shape is not None else b""


def read_caller(authorization: str | None) -> Caller:
    """The identity in a SigV4 Authorization header; raises MissingAuthenticationToken without one."""
    if not authorization:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    found = re.search(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([^/,\s]+)/aws4_request", authorization)
    if not authorization.startswith("AWS4-HMAC-SHA256") or not found:
        raise AwsError("IncompleteSignatureException", "Authorization header requires 'Credential' parameter.", 403)
    return Caller(*found.groups())


@functools.cache
def service_model(name: str) -> ServiceModel:
    """botocore's model of a service; read once."""
    return botocore.session.Session().get_service_model(name)


def _parse(body: bytes) -> dict[str, Any]:
    try:
        arguments = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise AwsError("SerializationException", "The request body is not JSON") from None
    if not isinstance(arguments, dict):
        raise AwsError("SerializationException", "The request body is not a JSON object")
    return arguments
