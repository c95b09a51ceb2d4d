"""Writes simulator/data from collected facts: run `python scripts/build_simulator_data.py FACTS_FOLDER`.

The facts folder holds instances.json, models.json, image_catalog.json and memory_points.jsonl, each entry with the
public source it was read from. What the simulator needs of them is kept in a form of its own, so that the planner's
data and the simulator's can be wrong independently.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "simulator" / "data"


def main(facts: Path) -> None:
    """Builds all four data files."""
    catalogue = json.loads((facts / "image_catalog.json").read_text())
    _write("instances.json", _instances(json.loads((facts / "instances.json").read_text())))
    _write("models.json", _models(json.loads((facts / "models.json").read_text())))
    _write("images.json", _images(catalogue))
    _write("gpu_memory.json", _gpu_memory(facts / "memory_points.jsonl"))


def _instances(document: dict[str, Any]) -> dict[str, Any]:
    accelerated = {entry["instance_type"]: entry for entry in document["instances"]}
    rows = {}
    for name, plain in document["all_hosting_types"].items():
        entry = accelerated.get(name, {})
        rows[name] = {
            "vcpu": plain["vcpu"] or entry.get("vcpu"),
            "ram_gib": plain["ram_gib"] or entry.get("ram_gib"),
            "nvme_gb": plain["nvme_gb"] if plain["nvme_gb"] is not None else entry.get("nvme_gb"),
            "kind": entry.get("accelerator_kind"),
            "gpu": entry.get("accelerator"),
            "gpus": entry.get("accelerator_count") or 0,
            "gpu_mib": entry.get("accelerator_memory_mib_each"),
            "compute_capability": entry.get("compute_capability"),
        }
    return {
        "source": "EC2 DescribeInstanceTypes as dumped in moto 5.2.5; hosting types: botocore 1.44.5 sagemaker model",
        "types": rows,
    }


def _models(document: dict[str, Any]) -> dict[str, Any]:
    kept = (
        "architecture", "params", "num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads",
        "num_key_value_heads", "head_dim", "vocab_size", "max_position_embeddings", "torch_dtype",
        "tie_word_embeddings", "kv_bytes_per_token_bf16", "weights_gib_bf16", "disk_gib", "observed_vllm_weights_gib",
        "source",
    )  # fmt: skip
    return {
        "source": "config.json fields with the public source of each in its entry",
        "models": {
            name.removesuffix(" (text part)").removesuffix(" / R1"): {
                **{key: model.get(key) for key in kept},
                "observed_vllm_weights_gib": _whole(model.get("observed_vllm_weights_gib")),
            }
            for name, model in document["models"].items()
        },
    }


def _whole(observed: Any) -> float | None:
    """GiB of the whole model where a log shows it; a remark such as 28.77/GPU is not about the whole."""
    if isinstance(observed, str):
        found = re.match(r"(\d+\.\d+) \(v", observed)
        return float(found[1]) if found else None
    return observed


def _images(document: dict[str, Any]) -> dict[str, Any]:
    tags: dict[str, Any] = {}
    for family, entry in document["families"].items():
        for version, image in entry["versions"].items():
            tags.setdefault(f"{image['repository']}:{image['tag']}", _image(family, version, image))
    accounts = sorted({account for regions in document["registry_sets"].values() for account in regions.values()})
    return {
        "source": "PyPI sagemaker-core 2.27.0, sagemaker/core/image_uri_config (Apache-2.0)",
        "accounts": accounts,
        "images": tags,
    }


def _image(family: str, version: str, image: dict[str, Any]) -> dict[str, Any]:
    return {
        "family": family,
        "version": version,
        "engine_version": image.get("engine_version") or image.get("vllm_version"),
        "cuda": image.get("cuda"),
    }


# The A10G-24GB of a point and the L4-24GB of an instance are the same class of name: letters and digits before "-".
def _gpu_memory(path: Path) -> dict[str, Any]:
    totals: dict[str, list[float]] = {}
    non_torch: dict[str, list[float]] = {}
    activations = []
    for line in path.read_text().splitlines():
        point = json.loads(line)
        gpu = re.split(r"[-/ ]", point.get("gpu") or "")[0].removesuffix("?")
        if point.get("gpu_total_gib") and point.get("conf") == "A":
            totals.setdefault(gpu, []).append(point["gpu_total_gib"])
        if point.get("non_torch_gib") is not None and point.get("conf") == "A":
            non_torch.setdefault(str(point.get("tp") or 1), []).append(point["non_torch_gib"])
        if point.get("activation_gib") and point.get("arch_ref"):
            activations.append([point["id"], gpu, point["arch_ref"], point["activation_gib"]])
    return {
        "source": "start-up lines of public vLLM and SGLang logs (GitHub issues; llm-d-planner's H100 table)",
        "gpu_total_gib": {gpu: round(statistics.median(values), 2) for gpu, values in sorted(totals.items())},
        "non_torch_gib_by_tp": {tp: round(statistics.median(v), 2) for tp, v in sorted(non_torch.items())},
        "activation_points": activations,
    }


def _write(name: str, value: Any) -> None:
    TARGET.mkdir(exist_ok=True)
    (TARGET / name).write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
