"""What the command is given: a file or standard input, read whole or refused with the reason."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.problems import Unusable


def text_of(path: str, instead: str) -> str:
    """The text of a file or, for `-`, of standard input; `instead` says what the file should be."""
    try:
        raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as problem:
        raise Unusable(f"{path} cannot be read: {problem.strerror or problem}; give {instead}") from None
    # Windows writes a byte-order mark, which JSON does not know.
    return raw.decode("utf-8-sig", errors="replace")


def request_of(path: str) -> Any:
    """The JSON value of a request file; what it means is the planner's to say."""
    text = text_of(path, "a DeploymentRequest as JSON, or - for standard input")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Unusable(f"{path} is not JSON ({problem}); give a DeploymentRequest as JSON") from None


def lines_of(path: str, instead: str) -> Iterator[str]:
    """The lines of a .jsonl or, for `-`, of standard input, as they come; empty ones are none."""
    try:
        # JSON may hold any separator that Python takes for a line's end, bar this one.
        source: str | int = 0 if path == "-" else path
        with open(source, encoding="utf-8", errors="replace", newline="\n", closefd=source != 0) as lines:
            yield from (line for line in lines if line.strip())
    except OSError as problem:
        raise Unusable(f"{path} cannot be read: {problem.strerror or problem}; give {instead}") from None
