"""Makes the planner's tables from the collected facts: `build_data.py FACTS_FOLDER`. Each table names its sources."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "layers/core/inservice/data"
FAMILIES = {"tgi": "huggingface-llm", "vllm": "vllm", "lmi": "djl-lmi", "sglang": "sglang"}
MODEL_FIELDS = (
    "architecture", "params", "num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads",
    "num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings", "torch_dtype", "weights_gib_bf16",
    "disk_gib", "weights_gib_mxfp4_est", "kv_bytes_per_token_bf16", "attention", "kv_lora_rank",
    "qk_rope_head_dim", "num_experts", "num_experts_per_tok", "moe_intermediate_size", "quantization", "source",
)  # fmt: skip


def main(facts: Path) -> None:
    """Writes instances.json, images.json and models.json."""
    _write("instances", _instances(json.loads((facts / "instances.json").read_text())))
    _write("images", _images(json.loads((facts / "image_catalog.json").read_text())))
    _write("models", _models(json.loads((facts / "models.json").read_text())))


def _instances(found: dict[str, Any]) -> dict[str, Any]:
    rows = {
        row["instance_type"]: {
            "vcpu": row["vcpu"],
            "ram_gib": row["ram_gib"],
            "gpu": row["accelerator"] if row["accelerator_kind"] == "gpu" else None,
            "accelerator": row["accelerator"],
            "count": row["accelerator_count"],
            "nominal_gib": row.get("accelerator_memory_gib_each"),
            "compute_capability": row.get("compute_capability"),
            "nvme_gb": row["nvme_gb"],
            "network": row["network"],
            "usd_per_hour": _price(row),
        }
        for row in found["instances"]
        if row.get("in_hosting_enum")
    }
    others = {name: row.get("nvme_gb", 0) for name, row in found["all_hosting_types"].items() if name not in rows}
    return {"source": found["note"], "instances": rows, "other_hosting_types_nvme_gb": others}


def _price(row: dict[str, Any]) -> float | None:
    """The list price in us-east-1 per hour, whichever shape it has."""
    for key, value in row.items():
        if "price" in key or "usd" in key:
            if isinstance(value, int | float):
                return float(value)
            if isinstance(value, dict):
                numbers = [v for v in value.values() if isinstance(v, int | float)]
                if numbers:
                    return float(numbers[0])
    return None


def _images(found: dict[str, Any]) -> dict[str, Any]:
    families = {}
    for server, family in FAMILIES.items():
        versions = found["families"][family]["versions"]
        families[server] = {
            version: {
                "repository": row["repository"],
                "tag": row["tag"],
                "cuda": row["cuda"],
                "registries": row["registry_set"],
                "engine": row.get("engine_version"),
            }
            for version, row in versions.items()
            if isinstance(row["tag"], str)
        }
    return {
        "source": found["_meta"]["source"],
        "dns_suffix": found["_meta"]["dns_suffix"],
        "registries": {
            name: found["registry_sets"][name]
            for name in sorted({row["registries"] for rows in families.values() for row in rows.values()})
        },
        "servers": families,
    }


def _models(found: dict[str, Any]) -> dict[str, Any]:
    rows = {
        name: {field: row[field] for field in MODEL_FIELDS if row.get(field) is not None}
        for name, row in found["models"].items()
    }
    return {"source": str(found["_meta"]), "models": rows}


def _write(name: str, table: dict[str, Any]) -> None:
    (DATA / f"{name}.json").write_text(json.dumps(table, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
