"""How full memory, disk and GPUs get while a container starts, in percent and virtual time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

MEMORY, DISK, GPU_MEMORY = "MemoryUtilization", "DiskUtilization", "GPUMemoryUtilization"


@dataclass(frozen=True)
class Fill:
    """From `at` on (Unix seconds), over so many seconds, a metric goes evenly to `percent`, and stays there."""

    at: float
    seconds: float
    metric: str
    percent: float


def highest(fills: Iterable[Fill], metric: str, begin: float, end: float, base: float) -> float:
    """The highest percentage between two moments; `base` is where the metric is before its first fill."""
    own = [fill for fill in fills if fill.metric == metric]
    turns = [turn for fill in own for turn in (fill.at, fill.at + fill.seconds) if begin < turn < end]
    return max(_level(own, moment, base) for moment in (begin, *turns, end))


def as_line(fills: Iterable[Fill]) -> str:
    """All fills as one line of JSON, to be told by the container's process."""
    return json.dumps([asdict(fill) for fill in fills])


def from_line(line: str) -> tuple[Fill, ...]:
    """The inverse of `as_line`."""
    return tuple(Fill(**fill) for fill in json.loads(line))


def _level(fills: list[Fill], moment: float, base: float) -> float:
    level = base
    for fill in fills:
        if fill.at <= moment:
            part = min(1.0, (moment - fill.at) / fill.seconds) if fill.seconds else 1.0
            level += (fill.percent - level) * part
    return level
