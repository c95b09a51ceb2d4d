"""A state's function: from the payload to one decision and back, with its ports found by name."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, get_type_hints

from pydantic import ValidationError

from inservice.contracts import Record
from inservice.deployments.turns import turn
from inservice.errors import Unreadable


def step(decide: Callable[..., Record]) -> Callable[..., dict[str, Any]]:
    """Makes `decide(command, *, port, …)` a Lambda handler.

    The event is read as the command's type; a port that the caller does not pass comes from the environment
    (`adapters.wiring`), which is how a test hands in a fake and patches nothing.
    """
    command_name, *_ = inspect.signature(decide).parameters
    ports = [p.name for p in inspect.signature(decide).parameters.values() if p.kind is p.KEYWORD_ONLY]

    @functools.wraps(decide)
    def handler(event: dict[str, Any], context: Any = None, **given: Any) -> dict[str, Any]:
        command = _read(get_type_hints(decide)[command_name], event)
        name = decide.__module__
        logger = _logger()
        logger.info("asked", state=name, deployment_id=command.deployment_id)
        with _turn(command, given):
            result = decide(command, **{port: _port(port, given) for port in ports})
        logger.info("answered", state=name, deployment_id=command.deployment_id)
        return result.as_json()

    handler.command = get_type_hints(decide)[command_name]  # type: ignore[attr-defined]
    handler.answer = get_type_hints(decide)["return"]  # type: ignore[attr-defined]
    return handler


def _read(command: Any, event: dict[str, Any]) -> Any:
    try:
        return command.model_validate(event)
    except ValidationError as problem:
        mistakes = problem.errors(include_input=False, include_url=False)
        raise Unreadable(f"the payload is not a {command.__name__} command: {mistakes[:3]}") from None


def _turn(command: Any, given: dict[str, Any]) -> AbstractContextManager[None]:
    """The execution's turn; a state that somebody runs by hand names no execution, and takes none."""
    execution = getattr(command, "execution", None)
    if execution is None:
        return nullcontext()
    ports = {name: _port(name, given) for name in ("deployments", "clock")}
    return turn(command.deployment_id, execution, **ports)


def _port(name: str, given: dict[str, Any]) -> Any:
    return given[name] if name in given else _wired(name)


def _wired(port: str) -> Any:
    # boto3 is loaded only when a real port is needed, so that the domain's tests never do.
    from inservice.adapters import wiring

    return wiring.port(port)


@functools.cache
def _logger() -> Any:
    from aws_lambda_powertools import Logger

    return Logger(service=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "inservice"))
