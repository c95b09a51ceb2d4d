"""What a container finds when it starts: its image, its environment, the machine and where its model comes from."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Machine:
    """GPUs with usable GiB each, host memory in GiB, disk in GB, and the rates at which weights move."""

    gpu: str | None
    gpus: int
    gpu_gib: float
    compute_capability: tuple[int, int]
    ram_gib: float
    disk_gb: float
    hub_mib_per_second: float
    load_gib_per_second: float


@dataclass(frozen=True)
class Situation:
    """One start. `local` lists what SageMaker put into /opt/ml/model: file sizes, and the texts of small files."""

    server: str
    version: str
    engine_version: str
    cuda: tuple[int, int]
    environment: dict[str, str]
    machine: Machine
    hub_url: str
    started_at: float
    time_scale: float = 1.0
    epoch: float = 0.0
    isolated: bool = False
    local: dict[str, Any] | None = None
    replay: dict[str, Any] | None = None
    dies_after: float | None = None
    command: tuple[str, ...] = field(default_factory=lambda: ("serve",))

    def as_json(self) -> str:
        """The situation as it is handed to the container's process."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Situation:
        """The inverse of `as_json`."""
        given = json.loads(text)
        machine = given.pop("machine")
        machine["compute_capability"] = tuple(machine["compute_capability"])
        given["cuda"], given["command"] = tuple(given["cuda"]), tuple(given["command"])
        return Situation(machine=Machine(**machine), **given)


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers, so that 0.10 comes after 0.9; suffixes such as rc1 are left out."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])
