"""AWS's JSON 1.1 protocol as botocore's own service model defines it: what is refused, and how errors look."""

from __future__ import annotations

import functools
import re
from typing import Any

import botocore.session
from botocore.model import Shape


class Refusal(Exception):
    """An error of the service: HTTP status, code and message as AWS words them."""

    def __init__(self, message: str, code: str = "ValidationException", status: int = 400) -> None:
        super().__init__(message)
        self.message, self.code, self.status = message, code, status


@functools.cache
def _service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def check(service: str, operation: str, given: Any) -> dict[str, Any]:
    """The input as the operation's model allows it; Refusal for anything else."""
    model = _service(service)
    if operation not in model.operation_names:
        raise Refusal(f"{operation} is not a known operation", "UnknownOperationException", 404)
    if not isinstance(given, dict):
        raise Refusal("the request is not a JSON object", "SerializationException")
    shape = model.operation_model(operation).input_shape
    problems = _problems(shape, given, "") if shape else []
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: "
        raise Refusal(count + "; ".join(problems))
    return given


def _problems(shape: Shape, value: Any, path: str) -> list[str]:
    kind = shape.type_name
    if kind == "structure":
        return _of_structure(shape, value, path)
    if kind == "list":
        if not isinstance(value, list):
            return [_wrong(path, value, "to be a list")]
        inner = [
            problem for at, item in enumerate(value) for problem in _problems(shape.member, item, f"{path}.{at + 1}")
        ]
        return _of_length(shape, value, path) + inner
    if kind == "map":
        if not isinstance(value, dict):
            return [_wrong(path, value, "to be a map")]
        return [problem for key, item in value.items() for problem in _problems(shape.value, item, f"{path}.{key}")]
    return _of_scalar(shape, value, path)


def _of_structure(shape: Any, value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [_wrong(path, value, "to be a structure")]
    missing = [name for name in shape.required_members if value.get(name) is None]
    found = [_wrong(f"{path}.{name}", None, "to not be null") for name in missing]
    for name, item in value.items():
        if name not in shape.members:
            # AWS ignores unknown members; the SDKs refuse them before sending. Refusing finds more mistakes.
            found.append(f"Unknown parameter at '{path}.{name}'")
        elif item is not None:
            found += _problems(shape.members[name], item, f"{path}.{name}")
    return found


def _of_scalar(shape: Any, value: Any, path: str) -> list[str]:
    kind, limits = shape.type_name, shape.metadata
    if kind in ("integer", "long"):
        return _of_number(value, limits, path, int)
    if kind in ("float", "double"):
        return _of_number(value, limits, path, (int, float))
    if kind == "boolean":
        return [] if isinstance(value, bool) else [_wrong(path, value, "to be a boolean")]
    if kind != "string":
        return []
    if not isinstance(value, str):
        return [_wrong(path, value, "to be a string")]
    found = _of_length(shape, value, path)
    if getattr(shape, "enum", None) and value not in shape.enum:
        found.append(_wrong(path, value, f"to satisfy enum value set: [{', '.join(shape.enum)}]"))
    pattern = limits.get("pattern")
    if pattern and not _matches(pattern, value):
        found.append(_wrong(path, value, f"to satisfy regular expression pattern: {pattern}"))
    return found


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:
        # A few of AWS's patterns use Java's syntax; those are not checked.
        return True


def _of_number(value: Any, limits: dict[str, Any], path: str, kind: Any) -> list[str]:
    if isinstance(value, bool) or not isinstance(value, kind):
        return [_wrong(path, value, "to be a number")]
    if "min" in limits and value < limits["min"]:
        return [_wrong(path, value, f"to have value greater than or equal to {limits['min']}")]
    if "max" in limits and value > limits["max"]:
        return [_wrong(path, value, f"to have value less than or equal to {limits['max']}")]
    return []


def _of_length(shape: Any, value: Any, path: str) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        return [_wrong(path, value, f"to have length greater than or equal to {low}")]
    if high is not None and len(value) > high:
        return [_wrong(path, value, f"to have length less than or equal to {high}")]
    return []


def _wrong(path: str, value: Any, constraint: str) -> str:
    name = path.lstrip(".")
    name = name[:1].lower() + name[1:]
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{name}' failed to satisfy constraint: Member must {constraint.removeprefix('to ')}"
