"""How long from the container's start to ready: an interval in seconds from bytes, source, disk, and server."""

from __future__ import annotations

from inservice.contracts import LoadTime
from inservice.planning.tables import Instance

# From the hub, in MB/s: parallel range requests against what one slow CDN edge gives; never more than the NIC.
_HUB_MB_S = (120, 300, 900)
# SageMaker's own copy from S3 was measured at 353 MiB/s in a processing job; the wide side is one part at a time.
_S3_MB_S = (150, 370, 1000)
# Disk to GPU in MB/s: EBS gp2's ceiling, one NVMe drive read page by page, several drives in parallel.
_DISK_MB_S = {True: (250, 900, 2500), False: (120, 200, 250)}
# Start of process, imports, warm-up and graphs, in seconds (low, likely, high), from start-up logs of each server.
_START = {"tgi": (20, 35, 90), "vllm": (45, 100, 240), "lmi": (50, 110, 260), "sglang": (40, 90, 240)}
# Quantising while loading reads every layer twice and packs it on the CPU.
_ON_THE_FLY = ("bitsandbytes", "bitsandbytes-nf4", "bitsandbytes-fp4", "eetq")


def predict(
    weights_gb: float, instance: Instance, server: str, *, from_s3: bool, quantization: str | None, tp: int
) -> LoadTime:
    """The interval for this many GB of weights (10⁹ bytes)."""
    nic = instance.network_gbit * 1000 / 8
    slow, usual, fast = (min(nic, rate) for rate in (_S3_MB_S if from_s3 else _HUB_MB_S))
    disk = _DISK_MB_S[instance.nvme_gb > 0]
    megabytes = weights_gb * 1000
    factor = 2.0 if quantization in _ON_THE_FLY else 1.0
    low, likely, high = _START[server]
    # Model data from S3 is copied before the container starts, inside a window of its own.
    copy = (0.0, 0.0, 0.0) if from_s3 else (megabytes / fast, megabytes / usual, megabytes / slow)
    # Ranks settle their communication one after the other.
    ranks = 3 * (tp - 1)
    return LoadTime(
        low=int(low + copy[0] + factor * megabytes / disk[2]),
        likely=int(likely + copy[1] + factor * megabytes / disk[1] + ranks),
        high=int(high + copy[2] + factor * megabytes / disk[0] + 2 * ranks),
    )


def download_seconds(weights_gb: float, instance: Instance) -> int:
    """The slow side of copying model data from S3."""
    return int(weights_gb * 1000 / min(instance.network_gbit * 125, _S3_MB_S[0]))


def window(seconds: float) -> int:
    """A window for that time with a quarter of margin, in whole minutes, between SageMaker's 60 and 3600 s."""
    return int(min(3600, max(60, -(-seconds * 1.25 // 60) * 60)))
