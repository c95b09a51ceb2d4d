"""How long things take, in virtual seconds; the same name always takes the same time, so that runs can be compared."""

from __future__ import annotations

import hashlib

# S3 to an instance: 353 MiB/s measured in a public processing-job log; a p5en run staged 306 GiB in about 500 s.
_S3_MIB_PER_SECOND = {"p4d": 450, "p4de": 450, "p5": 630, "p5e": 630, "p5en": 630, "p6-b200": 630}
_S3_DEFAULT = 353
# Hub downloads: no public figure from SageMaker; assumed a little slower than S3, twice as fast on the largest types.
_HUB_MIB_PER_SECOND = {"p4d": 350, "p4de": 350, "p5": 500, "p5e": 500, "p5en": 500, "p6-b200": 500}
_HUB_DEFAULT = 220
# Reading weights into GPU memory: 14.25 GiB in 36 s on A10G, 51 GiB per GPU in 62 s on H100 NVL (vLLM start-up logs).
_LOAD_GIB_PER_SECOND = {"T4": 0.30, "A10G": 0.40, "L4": 0.40, "L40S": 0.70, "A100": 0.75, "H100": 0.85, "H200": 1.0}


def spread(key: str, low: float, high: float) -> float:
    """A duration between two bounds that depends on nothing but the key."""
    part = int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") / 2**32
    return low + (high - low) * part


def provisioning(key: str) -> float:
    """From CreateEndpoint to an instance: an m5 endpoint is InService after 3.5 min in all."""
    return spread(f"provision:{key}", 150, 210)


def image_pull(key: str) -> float:
    """Pulling a serving image of 8 to 10 GB."""
    return spread(f"pull:{key}", 40, 75)


def s3_download(gib: float, instance_type: str) -> float:
    """Model data from S3."""
    return gib * 1024 / _S3_MIB_PER_SECOND.get(_family(instance_type), _S3_DEFAULT)


def hub_rate(instance_type: str) -> float:
    """MiB per second from the hub."""
    return _HUB_MIB_PER_SECOND.get(_family(instance_type), _HUB_DEFAULT)


def load_rate(gpu: str | None) -> float:
    """GiB per second into one GPU's memory."""
    return _LOAD_GIB_PER_SECOND.get(gpu or "", 0.5)


def deletion(key: str) -> float:
    """From DeleteEndpoint until the name is free: one to three minutes were seen."""
    return spread(f"delete:{key}", 60, 120)


def _family(instance_type: str) -> str:
    return instance_type.split(".")[1]
