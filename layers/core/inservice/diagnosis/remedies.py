"""Cures as changes of the request, from the engine's own figures where it prints them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from inservice.contracts import Cause, Remedy, RepairKind
from inservice.diagnosis.log import Log
from inservice.diagnosis.progress import shards_of

# Container start-up and model download windows: 60 to 3600 s each (SageMaker API reference).
SHORTEST_WINDOW, LONGEST_WINDOW = 60, 3600
LARGEST_VOLUME_GB = 512
# Loading is slower on a cold volume and a busy hub than the likely case.
_MARGIN = 1.5
# Keep this much below the length the engine calls possible: its estimate is made before CUDA graphs are captured.
_TOKENS_SHARE = 0.95
# vLLM's KV cache works in blocks of 16 tokens.
_BLOCK = 16

_NUMBER = r"\(?([\d,]+)\)?"
_FITS = (
    re.compile(r"estimated maximum model length is " + _NUMBER),
    re.compile(r"stored in (?:the )?KV cache " + _NUMBER),
)
_NEEDED = re.compile(
    r"max seq len \(?(?P<tokens>\d+)\)?.{0,40}?\(?(?P<need>[\d.]+) ?GiB KV cache is needed"
    r".{0,120}?\(?(?P<have>[\d.]+) ?GiB",
    re.IGNORECASE,
)
_BATCH_TOTAL = re.compile(r"max_batch_total_tokens`?.{0,60}?Given: `?(\d+)`? and `?(\d+)`?", re.IGNORECASE)
_DERIVED = re.compile(r"derived max_model_len \(\w+=(\d+)")


@dataclass(frozen=True)
class Facts:
    """What is known about the plan; anything unreadable counts as unknown."""

    server: str | None = None
    image_uri: str | None = None
    ami: str | None = None
    window_seconds: int | None = None
    likely_seconds: int | None = None
    high_seconds: int | None = None
    volume_gb: int | None = None
    max_total_tokens: int | None = None
    max_input_tokens: int | None = None
    max_concurrent_requests: int | None = None
    quantization: str | None = None
    tensor_parallel_degree: int | None = None
    gpu_count: int | None = None
    log_group_exists: bool | None = None

    @classmethod
    def of(cls, config: Any) -> Facts:
        """Facts from any JSON value; never raises."""
        given = config if isinstance(config, dict) else {}
        predicted = given.get("predicted_load_seconds")
        predicted = predicted if isinstance(predicted, dict) else {}
        exists = given.get("log_group_exists")
        return cls(
            server=_text(given.get("server")),
            image_uri=_text(given.get("image_uri")) or _text(given.get("image")),
            ami=_text(given.get("inference_ami_version")),
            window_seconds=_whole(given.get("health_check_timeout_seconds")),
            likely_seconds=_whole(predicted.get("likely")),
            high_seconds=_whole(predicted.get("high")),
            volume_gb=_whole(given.get("volume_size_gb")),
            max_total_tokens=_whole(given.get("max_total_tokens")),
            max_input_tokens=_whole(given.get("max_input_tokens")),
            max_concurrent_requests=_whole(given.get("max_concurrent_requests")),
            quantization=_text(given.get("quantization")),
            tensor_parallel_degree=_whole(given.get("tensor_parallel_degree")),
            gpu_count=_whole(given.get("gpu_count")),
            log_group_exists=exists if isinstance(exists, bool) else None,
        )

    @property
    def image_cuda(self) -> str | None:
        """The CUDA version in the image's tag, such as 13.0 for cu130."""
        found = re.search(r"-cu(\d\d)(\d)", self.image_uri or "")
        return f"{found[1]}.{found[2]}" if found else None

    @property
    def ami_mismatch(self) -> bool:
        """CUDA 13 images need AMI gpu-4-1, CUDA 12 images gpu-3-1 (aws/deep-learning-containers, test constants)."""
        cuda = self.image_cuda
        if cuda is None:
            return False
        if cuda.startswith("13"):
            return "gpu-4" not in (self.ami or "")
        return cuda.startswith("12") and "gpu-4" in (self.ami or "")


def remedy_for(cause: Cause, advice: str, line: str, log: Log, facts: Facts) -> Remedy | None:
    """The cure of a cause as field changes, automatic only where its values are known."""
    if cause == "GPU_OOM_KV_CACHE":
        return _tokens(advice, line, log, facts)
    if cause == "STARTUP_TIMEOUT":
        return window_remedy(log, facts)
    if cause == "MODEL_DOWNLOAD_FAILED":
        return Remedy(
            automatic=True, allow="timeouts", changes={"download_timeout_seconds": LONGEST_WINDOW}, explanation=advice
        )
    if cause == "DISK_FULL":
        return _volume(advice, facts)
    if cause == "INVALID_ARGUMENT" and (limit := _DERIVED.search(line)):
        return _lower_tokens(int(limit[1]), f"The model's own limit is {int(limit[1])} tokens.", facts)
    kinds: dict[Cause, RepairKind] = {
        "UNSUPPORTED_ARCHITECTURE": "image", "TOKENIZER_ERROR": "image", "MISSING_DEPENDENCY": "image",
        "COMPILE_ERROR": "image", "IMAGE_PULL": "image", "BAD_CONTAINER": "image",
        "GPU_OOM_WEIGHTS": "instance", "HOST_OOM": "instance", "UNSUPPORTED_GPU": "instance",
        "SHARDING_ERROR": "instance", "CAPACITY": "instance", "QUANTIZATION_ERROR": "quantization",
    }  # fmt: skip
    return _by_kind(cause, kinds.get(cause), advice, facts)


def window_remedy(log: Log, facts: Facts) -> Remedy:
    """The start-up window to use: by the weights' own pace, else the predicted load time, else twice the old one."""
    paced = _paced_seconds(log)
    needed = max(paced or 0, facts.high_seconds or 0, int((facts.likely_seconds or 0) * _MARGIN))
    window = facts.window_seconds
    if not needed and window:
        needed = window * 2
    # A window that did not suffice is never offered again.
    needed = max(needed, int((window or 0) * _MARGIN)) if needed else 0
    seconds = min(LONGEST_WINDOW, max(SHORTEST_WINDOW, math.ceil(needed / 60) * 60)) if needed else None
    longer = seconds is not None and seconds > (window or 0)
    source = f"the log's pace needs about {paced} s" if paced else "the predicted load time with a margin"
    return Remedy(
        automatic=longer,
        allow="timeouts",
        changes={"health_check_timeout_seconds": seconds} if longer else {},
        explanation=f"Give it a start-up window of {seconds} s ({source})."
        if longer
        else "Give it a longer start-up window, at most 3600 s, or load the weights from S3 or a faster disk.",
    )


def _paced_seconds(log: Log) -> int | None:
    """How long a start takes in all, if the remaining shards load as fast as those before."""
    for line in reversed(log.lines[-2000:]):
        if "shards:" in line and (shards := shards_of(line)) and shards.done and shards.seconds:
            loading = shards.seconds * shards.total / shards.done
            return int(loading * _MARGIN + 300)
    return None


def _tokens(advice: str, line: str, log: Log, facts: Facts) -> Remedy:
    near = "\n".join(
        text for text in log.lines[-3000:] if "KV cache" in text or "model length" in text or "max_batch_total" in text
    )
    for text in (line, near[-20000:]):
        fits = _fitting(text)
        if fits:
            return _lower_tokens(fits, f"The engine's own figures: {fits} tokens fit.", facts)
    current = facts.max_total_tokens
    concurrent = facts.max_concurrent_requests
    changes: dict[str, Any] = {}
    if concurrent and concurrent > 1:
        changes["max_concurrent_requests"] = max(1, concurrent // 2)
    if current and current > 1024:
        changes |= _limits(current // 2, facts)
    return Remedy(automatic=bool(changes), allow="tokens", changes=changes, explanation=advice)


def _fitting(text: str) -> int | None:
    """How many tokens the engine says fit, with a little room."""
    for pattern in _FITS:
        if found := pattern.search(text):
            return _rounded(int(found[1].replace(",", "")))
    if found := _NEEDED.search(text):
        need, have = float(found["need"].rstrip(".")), float(found["have"].rstrip("."))
        return _rounded(int(int(found["tokens"]) * have / need)) if need > have > 0 else None
    if found := _BATCH_TOTAL.search(text):
        return _rounded(min(int(found[1]), int(found[2])))
    return None


def _rounded(tokens: int) -> int | None:
    fits = int(tokens * _TOKENS_SHARE) // _BLOCK * _BLOCK
    return fits if fits >= _BLOCK else None


def _lower_tokens(fits: int, why: str, facts: Facts) -> Remedy:
    helps = facts.max_total_tokens is None or fits < facts.max_total_tokens
    return Remedy(
        automatic=helps,
        allow="tokens",
        changes=_limits(fits, facts) if helps else {},
        explanation=f"{why} Set max_total_tokens to {fits}." if helps else why,
    )


def _limits(total: int, facts: Facts) -> dict[str, Any]:
    changes: dict[str, Any] = {"max_total_tokens": total}
    if facts.max_input_tokens and facts.max_input_tokens >= total:
        changes["max_input_tokens"] = max(1, total // 2)
    return changes


def _volume(advice: str, facts: Facts) -> Remedy:
    larger = min(LARGEST_VOLUME_GB, facts.volume_gb * 2) if facts.volume_gb else None
    grows = larger is not None and larger > (facts.volume_gb or 0)
    return Remedy(
        automatic=grows, allow="volume", changes={"volume_size_gb": larger} if grows else {}, explanation=advice
    )


def _by_kind(cause: Cause, kind: RepairKind | None, advice: str, facts: Facts) -> Remedy:
    """Cures whose values only the planner or a person can choose."""
    if cause == "QUANTIZATION_ERROR" and facts.quantization:
        return Remedy(automatic=True, allow="quantization", changes={"quantization": None}, explanation=advice)
    # Leaving the version and image to the planner means the newest one it knows to serve the model.
    if cause in ("UNSUPPORTED_ARCHITECTURE", "TOKENIZER_ERROR", "MISSING_DEPENDENCY") and facts.server:
        return Remedy(
            automatic=True, allow="image", changes={"server_version": None, "image_uri": None}, explanation=advice
        )
    if kind == "instance":
        return Remedy(automatic=False, allow=kind, changes={"instance_type": "auto"}, explanation=advice)
    return Remedy(automatic=False, allow=kind, changes={}, explanation=advice)


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value) if 0 < value < 1e12 else None


def _text(value: Any) -> str | None:
    return value[:2000] if isinstance(value, str) and value.strip() else None
