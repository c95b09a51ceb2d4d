"""boto3 clients: one per service, made on first use, with time-outs that leave a function room to answer."""

from __future__ import annotations

import functools
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from inservice.errors import InServiceError, Refused, Unavailable

_PATIENT = Config(connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4})
# A model may take most of the 60 s that InvokeEndpoint allows; a second request would not be the same one.
_RUNTIME = Config(connect_timeout=3, read_timeout=65, retries={"mode": "standard", "total_max_attempts": 1})
_THROTTLES = {
    "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
    "ServiceUnavailable", "InternalFailure", "InternalServerError", "InternalError", "ProvisionedThroughputExceeded",
}  # fmt: skip


@functools.cache
def client(service: str) -> Any:
    """The client of a service, in the region and with the credentials of the environment."""
    config = _RUNTIME if service == "sagemaker-runtime" else _PATIENT
    return boto3.client(service, config=config)  # type: ignore[call-overload]  # typed for literal names


def code_of(problem: ClientError) -> str:
    """AWS's error code, such as ValidationException."""
    return str(problem.response.get("Error", {}).get("Code", ""))


def message_of(problem: ClientError) -> str:
    """AWS's words."""
    return str(problem.response.get("Error", {}).get("Message", "") or problem)


def fault(problem: Exception) -> InServiceError:
    """AWS's refusal as Refused, in its own words; a throttle, a 5xx or a lost connection as Unavailable."""
    if isinstance(problem, ClientError):
        status = int(problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if code_of(problem) in _THROTTLES or status >= 500:
            return Unavailable(f"{code_of(problem)}: {message_of(problem)}")
        return Refused(message_of(problem))
    if isinstance(problem, BotoCoreError):
        return Unavailable(str(problem))
    raise problem
