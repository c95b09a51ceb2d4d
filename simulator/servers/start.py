"""A start being told: lines with their seconds since the container began, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.world import Machine, gated, model

# MB/s from the hub to a disk, and from NVMe or EBS to the GPU.
_HUB_MB_S, _NVME_MB_S, _EBS_MB_S = 350.0, 1200.0, 240.0


@dataclass
class Start:
    """Lines as (seconds, text); `exit_code` is None for a server that comes up after the last line."""

    server: str
    model: str
    chat: bool = True
    lines: list[tuple[float, str]] = field(default_factory=list)
    now: float = 0.0
    exit_code: int | None = None

    def say(self, text: str, after: float = 0.0) -> None:
        """One line, `after` seconds later than the last."""
        self.now += after
        self.lines.extend((self.now, line) for line in text.split("\n"))

    def die(self, code: int = 1, after: float = 0.5) -> Start:
        """The process ends."""
        self.now += after
        self.exit_code = code
        return self

    def stamp(self, moment: float) -> str:
        """ISO time of a virtual moment, as TGI prints it."""
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@dataclass(frozen=True)
class Weights:
    """What is downloaded and loaded: gigabytes on disk, the hub's files, seconds for both."""

    row: dict[str, Any]
    gib: float
    files: int
    download_seconds: float
    load_seconds: float


def weights(hub_id: str, machine: Machine, factor: float = 1.0) -> Weights | None:
    """The weights of a known model on that machine; None for a repository that does not exist."""
    row = model(hub_id)
    if row is None:
        return None
    gib = float(row.get("weights_gib_bf16") or row.get("disk_gib") or 15)
    megabytes = gib * 1073.7
    disk = _NVME_MB_S if machine.nvme else _EBS_MB_S
    return Weights(
        row, gib * factor, max(1, round(gib / 4.6)), megabytes / min(machine.mb_s, _HUB_MB_S), megabytes / disk
    )


def access_problem(hub_id: str, token: str | None, accepted: str) -> str | None:
    """401 or 403 as the hub says it; None where the model may be read."""
    if not gated(hub_id) or token == accepted:
        return None
    return "401" if not token else "403"
