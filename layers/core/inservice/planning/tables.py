"""The planner's tables: instance types, serving images and model architectures, each made by scripts/build_data.py."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

# What the driver reports, in GiB, lowest of what servers have printed at start; the marketing figure is larger.
# Sources: start-up lines of vLLM and SGLang in public issues ("total_gpu_memory", "avail mem").
_DRIVER_GIB = {
    ("T4", 16): 14.56, ("V100", 16): 15.77, ("A10G", 22): 21.98, ("L4", 24): 22.03, ("L4", 22): 22.03,
    ("L40S", 48): 44.4, ("L40S", 45): 44.4, ("A100", 40): 39.4, ("A100", 80): 79.15, ("H100", 80): 79.18,
    ("H200", 141): 139.75,
}  # fmt: skip
# For GPUs without a measured line: the driver keeps about 2.5 % of the nominal figure on all of those measured.
_DRIVER_SHARE = 0.975


@dataclass(frozen=True)
class Instance:
    """One hosting instance type with GPUs; memory in GiB as the driver reports it."""

    name: str
    gpu: str
    gpu_count: int
    gpu_gib: float
    compute_capability: float
    vcpu: int
    ram_gib: float
    nvme_gb: float
    network_gbit: float
    usd_per_hour: float | None


@dataclass(frozen=True)
class Image:
    """One published version of a server's image."""

    server: str
    version: str
    repository: str
    tag: str
    cuda: str | None
    registries: str
    engine: str | None


@dataclass(frozen=True)
class Model:
    """A model's architecture, as far as memory and support depend on it; weights in GiB as they lie on disk."""

    name: str
    architecture: str
    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    max_positions: int
    weights_gib: float | None
    dtype: str = "bfloat16"
    kv_bytes_per_token: float | None = None
    attention: str = "full"
    mla: bool = False
    quantization: str | None = None


@functools.cache
def _table(name: str) -> Any:
    return json.loads((resources.files("inservice.data") / f"{name}.json").read_text(encoding="utf-8"))


@functools.cache
def instance(name: str) -> Instance | None:
    """The GPU instance type of that name; None for others."""
    row = _table("instances")["instances"].get(name)
    return _instance(name, row) if row and row["gpu"] else None


def is_hosting_type(name: str) -> bool:
    """Whether SageMaker hosts on that type at all (botocore's ProductionVariantInstanceType)."""
    table = _table("instances")
    return name in table["instances"] or name in table["other_hosting_types_nvme_gb"]


@functools.cache
def instances() -> tuple[Instance, ...]:
    """Every GPU instance type, cheapest first; those without a known price last."""
    rows = _table("instances")["instances"].items()
    known = [_instance(name, row) for name, row in rows if row["gpu"]]
    return tuple(sorted(known, key=lambda i: (i.usd_per_hour is None, i.usd_per_hour or 0, i.name)))


def _instance(name: str, row: dict[str, Any]) -> Instance:
    nominal = float(row["nominal_gib"] or 0)
    measured = [gib for (gpu, size), gib in _DRIVER_GIB.items() if gpu == row["gpu"] and abs(size - nominal) < 2.5]
    return Instance(
        name=name,
        gpu=row["gpu"],
        gpu_count=row["count"],
        gpu_gib=measured[0] if measured else round(nominal * _DRIVER_SHARE, 2),
        compute_capability=float(row["compute_capability"] or 0),
        vcpu=row["vcpu"],
        ram_gib=row["ram_gib"],
        nvme_gb=row["nvme_gb"] or 0,
        network_gbit=_gbit(row["network"]),
        usd_per_hour=row["usd_per_hour"],
    )


def _gbit(text: str) -> float:
    """Gbit/s from EC2's words such as "Up to 10 Gigabit" or "4x 100 Gigabit"."""
    times, words = 1.0, text.replace("Up to", "").replace("Gigabit", "").split()
    if words and words[0].endswith("x"):
        times, words = float(words[0][:-1]), words[1:]
    return times * float(words[0]) if words and words[0].replace(".", "").isdigit() else 10.0


def parsed(version: str) -> tuple[int, ...]:
    """A version as numbers that compare: 3.3.6 → (3, 3, 6)."""
    return tuple(int(part) for part in version.split(".") if part.isdigit())


@functools.cache
def images(server: str) -> tuple[Image, ...]:
    """The published images of a server, oldest first."""
    rows = _table("images")["servers"][server].items()
    known = [
        Image(server, version, row["repository"], row["tag"], row["cuda"], row["registries"], row["engine"])
        for version, row in rows
    ]
    return tuple(sorted(known, key=lambda image: parsed(image.version)))


def image_uri(image: Image, region: str) -> str | None:
    """The image's address in a region; None where AWS does not publish it there."""
    account = _table("images")["registries"][image.registries].get(region)
    if account is None:
        return None
    suffixes = _table("images")["dns_suffix"]
    suffix = next((s for prefix, s in suffixes.items() if region.startswith(prefix)), suffixes["default"])
    return f"{account}.dkr.ecr.{region}.{suffix}/{image.repository}:{image.tag}"


@functools.cache
def model(hub_id: str) -> Model | None:
    """The model of that hub id, whatever its case; None for one the table does not have."""
    rows = _table("models")["models"]
    wanted = hub_id.lower()
    if hub_id in rows:
        return _model(hub_id, rows[hub_id])
    for name, row in rows.items():
        if name.split(" ")[0].lower() == wanted or (
            wanted.endswith("deepseek-r1") and name.startswith("deepseek-ai/DeepSeek-V3")
        ):
            return _model(name, row)
    return None


def _model(name: str, row: dict[str, Any]) -> Model:
    heads = row["num_attention_heads"]
    return Model(
        name=name,
        architecture=row["architecture"],
        layers=row["num_hidden_layers"],
        hidden=row["hidden_size"],
        intermediate=row.get("intermediate_size") or 4 * row["hidden_size"],
        heads=heads,
        kv_heads=row.get("num_key_value_heads") or heads,
        head_dim=row.get("head_dim") or row["hidden_size"] // heads,
        vocab=row["vocab_size"],
        max_positions=row.get("max_position_embeddings") or 2048,
        weights_gib=row.get("weights_gib_bf16") or row.get("weights_gib_mxfp4_est") or row.get("disk_gib"),
        dtype=row.get("torch_dtype") or "bfloat16",
        kv_bytes_per_token=row.get("kv_bytes_per_token_bf16"),
        attention=row.get("attention") or "full",
        mla=bool(row.get("kv_lora_rank")),
        # These checkpoints exist in mxfp4 only; their weights are already that small.
        quantization="mxfp4" if row.get("weights_gib_mxfp4_est") else row.get("quantization"),
    )


def model_from_config(name: str, config: dict[str, Any], weight_bytes: int | None) -> Model | None:
    """A model from a Hugging Face config.json; None where it does not describe a decoder we can count."""
    inner = config.get("text_config")
    text: dict[str, Any] = inner if isinstance(inner, dict) else config
    try:
        heads, hidden = int(text["num_attention_heads"]), int(text["hidden_size"])
        lora = text.get("kv_lora_rank")
        return Model(
            name=name,
            architecture=str((config.get("architectures") or ["unknown"])[0]),
            layers=int(text["num_hidden_layers"]),
            hidden=hidden,
            intermediate=int(text.get("intermediate_size") or 4 * hidden),
            heads=heads,
            kv_heads=int(text.get("num_key_value_heads") or heads),
            head_dim=int(text.get("head_dim") or hidden // heads),
            vocab=int(text.get("vocab_size") or config.get("vocab_size") or 0),
            max_positions=int(text.get("max_position_embeddings") or 2048),
            weights_gib=weight_bytes / 2**30 if weight_bytes else None,
            dtype=str(config.get("torch_dtype") or config.get("dtype") or "bfloat16"),
            kv_bytes_per_token=2.0
            * int(text["num_hidden_layers"])
            * (int(lora) + int(text.get("qk_rope_head_dim") or 0))
            if lora
            else None,
            mla=bool(lora),
            quantization=str((config.get("quantization_config") or {}).get("quant_method") or "") or None,
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
