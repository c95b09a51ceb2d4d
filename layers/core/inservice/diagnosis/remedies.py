"""Cures as changes of the request, from the engine's own figures where it prints them."""

from __future__ import annotations

import math
import re
from typing import Any

from inservice.contracts import Cause, Remedy, RepairKind
from inservice.diagnosis.facts import Facts
from inservice.diagnosis.progress import shards_of
from inservice.diagnosis.reading.log import Log

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
