"""What the simulator believes about models, GPUs and images; apart from the planner, so that the two can disagree.

Memory: what servers themselves printed at start (weights, KV cache), not the planner's formula.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from importlib import resources
from typing import Any

# GiB each GPU offers, as "total_gpu_memory" / "avail mem" lines of real starts say.
GPU_GIB = {"T4": 14.6, "V100": 15.8, "A10G": 22.1, "L4": 22.0, "L40S": 44.4, "A100": 39.5, "H100": 79.2, "H200": 139.8}
# Taken by context, buffers and the profiling run before any cache, in GiB: the least that 0.5–0.11 logs show.
TAKEN_GIB = 1.1


@dataclass(frozen=True)
class Machine:
    """An instance type's GPUs, disk and network."""

    gpu: str
    count: int
    gib: float
    nvme: bool
    mb_s: float


@functools.cache
def _data(name: str) -> Any:
    return json.loads((resources.files("inservice.data") / f"{name}.json").read_text(encoding="utf-8"))


def machine(instance_type: str) -> Machine | None:
    """The machine of that type; None for one without GPUs."""
    row = _data("instances")["instances"].get(instance_type)
    if not row or not row["gpu"]:
        return None
    nominal = float(row["nominal_gib"] or 16)
    gib = GPU_GIB.get(row["gpu"], nominal * 0.97)
    if row["gpu"] == "A100" and nominal > 60:
        gib = 79.2
    numbers = [float(word) for word in re.findall(r"[\d.]+", row["network"])]
    gbit = numbers[0] * numbers[1] if "x" in row["network"] and len(numbers) > 1 else (numbers or [10.0])[-1]
    return Machine(row["gpu"], row["count"], gib, bool(row["nvme_gb"]), gbit * 125)


def has_nvme(instance_type: str) -> bool:
    """Whether SageMaker refuses VolumeSizeInGB there."""
    table = _data("instances")
    row = table["instances"].get(instance_type)
    return bool(row["nvme_gb"]) if row else bool(table["other_hosting_types_nvme_gb"].get(instance_type))


def model(hub_id: str) -> dict[str, Any] | None:
    """A known model's row, by hub id in any case."""
    for name, row in _data("models")["models"].items():
        if name.split(" ")[0].lower() == hub_id.lower():
            return {"name": name.split(" ")[0], **row}
    return None


def gated(hub_id: str) -> bool:
    """Whether the hub asks for a token with access."""
    return hub_id.lower().startswith(("meta-llama/", "google/gemma"))


@dataclass(frozen=True)
class Image:
    """What a serving image is, read from its address."""

    server: str
    version: str
    cuda: str | None
    published: bool


def image(uri: str) -> Image:
    """The image behind an address; unpublished ones cannot be pulled."""
    repository, _, tag = uri.split("/", 1)[-1].rpartition(":")
    for server, versions in _data("images")["servers"].items():
        for version, row in versions.items():
            if row["repository"] == repository and row["tag"] == tag:
                return Image(server, version, row["cuda"], True)
    return Image("unknown", "0", None, False)
