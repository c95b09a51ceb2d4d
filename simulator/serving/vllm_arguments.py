"""Environment to command line in AWS's vLLM image, and what vLLM's parser says to it.

SM_VLLM_FOO_BAR=x becomes --foo-bar x; true becomes a bare flag and false nothing (aws/deep-learning-containers,
docker/vllm sagemaker entrypoint). The flags are those of vLLM's EngineArgs and API server.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.serving.situation import numbers
from simulator.serving.story import Story

_SINCE = {"kv-cache-memory-bytes": (0, 10, 2), "attention-backend": (0, 11, 0), "async-scheduling": (0, 10, 0)}
_DTYPES = ("auto", "bfloat16", "float", "float16", "float32", "half")


@dataclass(frozen=True)
class Arguments:
    """The command line, as names without dashes; a bare flag's value is an empty string."""

    given: dict[str, str]

    def text(self, name: str) -> str | None:
        """The argument, or None."""
        return self.given.get(name) or None

    def number(self, name: str, default: int) -> int:
        """The argument as an integer."""
        return int(self.given[name]) if self.given.get(name) else default

    def share(self, name: str, default: float) -> float:
        """The argument as a fraction."""
        return float(self.given[name]) if self.given.get(name) else default

    def on(self, name: str) -> bool:
        """Whether a switch is given."""
        return name in self.given


def from_environment(environment: dict[str, str], prefix: str) -> Arguments:
    """What the image's entrypoint makes of variables with that prefix."""
    given = {}
    for key, value in environment.items():
        if not key.startswith(prefix) or value.lower() == "false":
            continue
        given[key.removeprefix(prefix).lower().replace("_", "-")] = "" if value.lower() == "true" else value
    return Arguments(given)


def refuse_unknown(arguments: Arguments, version: str, story: Story, program: str = "api_server.py") -> None:
    """Raises Lost with argparse's words for what this version's parser does not take."""
    flags = known_flags("vllm")
    known = {name for names in flags.values() for name in names}
    unknown = [name for name in arguments.given if name not in known or numbers(version) < _SINCE.get(name, (0,))]
    if unknown:
        words = " ".join(f"--{name} {arguments.given[name]}".strip() for name in unknown)
        _usage(story, program, f"unrecognized arguments: {words}")
    for name, value in arguments.given.items():
        if name in flags["integers"] and not _is(int, value) and not (name == "max-model-len" and value == "auto"):
            _usage(story, program, f"argument --{name}: invalid int value: '{value}'")
        if name in flags["floats"] and not _is(float, value):
            _usage(story, program, f"argument --{name}: invalid float value: '{value}'")
        if name == "dtype" and value not in _DTYPES:
            choices = ", ".join(f"'{kind}'" for kind in _DTYPES)
            _usage(story, program, f"argument --dtype: invalid choice: '{value}' (choose from {choices})")


@functools.cache
def known_flags(server: str) -> dict[str, Any]:
    """The flags a server's parser knows, by kind of value."""
    path = Path(__file__).resolve().parent.parent / "data" / "flags.json"
    return json.loads(path.read_text())[server]


def _usage(story: Story, program: str, problem: str) -> None:
    story.say(f"usage: {program} [-h] [--model MODEL] [--dtype {{{','.join(_DTYPES)}}}] ...", 6)
    story.say(f"{program}: error: {problem}")
    raise story.lose(2)


def _is(kind: type, value: str) -> bool:
    try:
        kind(value)
    except ValueError:
        return False
    return True
