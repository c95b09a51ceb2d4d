"""Checks a request against botocore's shape of it, and cuts a response to its shape.

botocore's own ParamValidator looks at required members, types and lower bounds only; the service also refuses by
pattern, enumeration and upper bound, in the words used here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from simulator.wire.errors import AwsError, validation

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "structure": (dict,), "map": (dict,), "list": (list,), "string": (str,), "character": (str,), "blob": (str,),
    "integer": (int,), "long": (int,), "float": (int, float), "double": (int, float), "boolean": (bool,),
    "timestamp": (int, float, str),
}  # fmt: skip

# The models' patterns are written for Java; these are its classes that Python's re does not know, for use in [...].
_JAVA_CLASSES = {
    r"\p{Alnum}": "a-zA-Z0-9", r"\p{L}": r"a-zA-Z\u00c0-\uffff", r"\p{M}": r"\u0300-\u036f", r"\p{Z}": r"\s",
    r"\p{N}": "0-9",    r"\p{S}": r"$+<=>^`|~", r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}",
}  # fmt: skip


def check(shape: Shape, value: Any) -> None:
    """Raises SerializationException for a wrong type, ValidationException listing every broken constraint."""
    problems = list(_problems(shape, value, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise validation(f"{len(problems)} validation {noun} detected: {'; '.join(problems[:10])}")


def cut(shape: Shape | None, value: Any) -> Any:
    """The members of `value` that the shape knows, without those that are None."""
    if isinstance(shape, StructureShape):
        known = shape.members
        return {key: cut(known[key], item) for key, item in value.items() if key in known and item is not None}
    if isinstance(shape, ListShape):
        return [cut(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        return {key: cut(shape.value, item) for key, item in value.items()}
    return value


def _problems(shape: Shape, value: Any, path: str) -> Iterator[str]:
    _require_type(shape, value, path)
    if isinstance(shape, StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _bounds(shape, value, path, len(value))
        for number, item in enumerate(value, 1):
            yield from _problems(shape.member, item, f"{path}.{number}.member")
    elif isinstance(shape, MapShape):
        yield from _bounds(shape, value, path, len(value))
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path}.{key}.key")
            yield from _problems(shape.value, item, f"{path}.{key}.value")
    elif isinstance(shape, StringShape):
        yield from _string_problems(shape, value, path)
    elif shape.type_name in ("integer", "long", "float", "double"):
        yield from _bounds(shape, value, path, value)


def _structure_problems(shape: StructureShape, value: dict[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield _failed(None, _join(path, name), "Member must not be null")
    for name, item in value.items():
        if name not in shape.members:
            raise AwsError("SerializationException", f"Unknown member {name} at {path or 'the request'}")
        if item is not None:
            yield from _problems(shape.members[name], item, _join(path, name))


def _string_problems(shape: StringShape, value: str, path: str) -> Iterator[str]:
    yield from _bounds(shape, value, path, len(value))
    pattern = shape.metadata.get("pattern")
    if pattern and not _compiled(pattern).fullmatch(value):
        yield _failed(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    if shape.enum and value not in shape.enum:
        yield _failed(value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")


def _bounds(shape: Shape, value: Any, path: str, size: float) -> Iterator[str]:
    measure = "value" if shape.type_name in ("integer", "long", "float", "double") else "length"
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield _failed(value, path, f"Member must have {measure} greater than or equal to {low}")
    if high is not None and size > high:
        yield _failed(value, path, f"Member must have {measure} less than or equal to {high}")


def _require_type(shape: Shape, value: Any, path: str) -> None:
    wanted = _PYTHON_TYPES.get(shape.type_name, (object,))
    wrong_bool = isinstance(value, bool) and bool not in wanted and object not in wanted
    if wrong_bool or not isinstance(value, wanted):
        kind = type(value).__name__.upper()
        raise AwsError("SerializationException", f"{kind}_VALUE can not be converted to {shape.type_name} at {path}")


def _failed(value: Any, path: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    translated = pattern
    for java, python in _JAVA_CLASSES.items():
        translated = translated.replace(java, python)
    try:
        return re.compile(translated, re.DOTALL)
    except re.error:
        # Six of the model's patterns (surrogate ranges, a stray quantifier) cannot be read here: nothing is refused.
        return re.compile(".*", re.DOTALL)
