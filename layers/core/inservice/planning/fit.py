"""Whether one measured point fits, and with how much KV cache: the memory model's exam."""

from __future__ import annotations

from typing import Any

from inservice.planning.memory import GIB, Load, budget, default_batch, default_utilisation, kv_bytes_per_token
from inservice.planning.tables import Model, model, parsed

_TOTALS = {
    "T4": 14.6, "V100-32": 31.74, "V100-16": 15.77, "A10G": 22.05, "A10": 22.05, "L4": 22.04, "L40S": 44.4,
    "A100-40": 39.4, "A100-80": 79.15, "H100": 79.18, "H200": 139.75, "A6000": 47.5, "A40": 44.4, "3090": 23.58,
    "4090": 23.6, "H20": 95.1, "RTXPRO6000": 95.0, "2080TI-22": 21.5,
}  # fmt: skip

_SGLANG_CONTEXT = 0.45


def fit_point(point: Any) -> dict[str, Any]:
    """Answers one point `{id, engine, …}` with `{id, fits, weights_gib, kv_gib, kv_tokens}`; null where unknown."""
    if not isinstance(point, dict):
        return {"id": None, "error": f"a point is a JSON object, not {type(point).__name__}"}
    unknown = {"id": point.get("id"), "fits": None, "weights_gib": None, "kv_gib": None, "kv_tokens": None}
    try:
        return {**unknown, **_answer(point)}
    except (TypeError, ValueError, ZeroDivisionError, OverflowError) as problem:
        return {**unknown, "error": f"a field has a value that cannot be used: {problem}"}


def _answer(point: dict[str, Any]) -> dict[str, Any]:
    known = model(str(point.get("arch_ref") or ""))
    total = gpu_total_gib(point)
    if known is None or total is None or point.get("engine") not in ("vllm", "sglang", "tgi"):
        return {}
    load = _load(point, known, total)
    found = budget(known, total, load)
    if found is None:
        return {}
    kv_gib = found.kv_gib
    if point["engine"] == "sglang":
        # SGLang's pool: free after the weights, less the share it leaves (`profile_max_num_token`).
        # Its own context is already taken when it first measures what is there.
        there = total - _SGLANG_CONTEXT
        kv_gib = there - found.weights - there * (1 - load.utilisation)
    tokens = max(0, int(kv_gib * GIB / kv_bytes_per_token(known, load.tp, load.kv_bytes)))
    # SGLang starts even when one request of full length does not fit into its pool.
    lenient = point["engine"] == "sglang" or not point.get("max_model_len")
    fits = kv_gib > 0 and (lenient or tokens >= found.needed_tokens)
    return {"fits": fits, "weights_gib": found.weights, "kv_gib": round(max(0.0, kv_gib), 3), "kv_tokens": tokens}


def _load(point: dict[str, Any], known: Model, total: float) -> Load:
    version = _version(point)
    length = int(point.get("max_model_len") or known.max_positions)
    gpu = str(point.get("gpu") or "")
    seqs, batched = default_batch(total, a100="A100" in gpu, version=version)
    chunks = False
    if _before_v1(point, version, gpu):
        # Without chunked prefill a whole prompt is profiled at once; over 32k it chunked by itself, 512 at a time.
        chunks = bool(point.get("max_model_len")) and length > 32_768
        batched = 512 if chunks else max(2048, min(length, 32_768))
    share = point.get("util") or point.get("mem_fraction_static")
    quant = point.get("quant")
    return Load(
        server=str(point["engine"]),
        version=version,
        tp=int(point.get("tp") or 1) * int(point.get("pp") or 1),
        max_model_len=length,
        max_num_seqs=int(point.get("max_num_seqs") or seqs),
        max_num_batched_tokens=int(point.get("max_num_batched_tokens") or batched),
        utilisation=float(share or default_utilisation(str(point["engine"]), version)),
        quantization=str(quant).lower() if quant else None,
        kv_bytes=1 if "8" in str(point.get("kv_dtype") or "") else 2,
        eager=bool(point.get("enforce_eager")),
        samples=not chunks,
    )


def _before_v1(point: dict[str, Any], version: str, gpu: str) -> bool:
    """vLLM's engine V1 is the default from 0.8.0, on GPUs of compute capability 8.0 and more until 0.11."""
    if point.get("engine") != "vllm":
        return False
    old_gpu = any(name in gpu for name in ("T4", "V100", "2080"))
    return (
        "V0" in str(point.get("engine_version")) or parsed(version) < (0, 8) or (old_gpu and parsed(version) < (0, 11))
    )


def _version(point: dict[str, Any]) -> str:
    """The engine's version; what names no number, or a date, is taken as today's."""
    version = str(point.get("engine_version") or "").lstrip("v")
    return version if parsed(version) and parsed(version)[0] < 100 and "." in version else "0.30.0"


def gpu_total_gib(point: dict[str, Any]) -> float | None:
    """The GPU's memory in GiB as the point says it, or as the driver reports it for the GPU it names."""
    if point.get("gpu_total_gib"):
        return float(point["gpu_total_gib"])
    gpu = str(point.get("gpu") or "").upper().replace(" ", "-").replace("NVIDIA-", "").replace("GB", "")
    matches = [name for name in _TOTALS if name in gpu]
    return _TOTALS[max(matches, key=len)] if matches else None
