"""The planner's two neighbours: Service Quotas for endpoint usage, and the hub's metadata."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from simulator.protocol import Refusal, check
from simulator.world import _data, gated, model

if TYPE_CHECKING:
    from simulator.hosting import Hosting

# What a new account may have is not documented; 4 lets every sample run and a fleet of five fail.
_QUOTA = 4.0


def quotas(hosting: Hosting, operation: str, given: Any) -> dict[str, Any]:
    """ListServiceQuotas for SageMaker, paged."""
    asked = check("service-quotas", operation, given)
    if operation != "ListServiceQuotas":
        raise Refusal(f"{operation} is not played by this simulator", "UnknownOperationException", 404)
    names = sorted(_data("instances")["instances"])
    begin, size = int(asked.get("NextToken") or 0), asked.get("MaxResults") or 100
    rows = [
        {
            "ServiceCode": "sagemaker",
            "QuotaName": f"{name} for endpoint usage",
            "Value": float(hosting.faults["quota"].get(name, _QUOTA)),
        }
        for name in names[begin : begin + size]
    ]
    return {"Quotas": rows, **({"NextToken": str(begin + size)} if begin + size < len(names) else {})}


def hub(hosting: Hosting, path: str, authorization: str) -> tuple[int, Any]:
    """(status, JSON) of a hub request: model info or config.json."""
    info = re.fullmatch(r"/api/models/([\w.-]+/[\w.-]+)(?:/revision/([^/]+))?", path)
    file = re.fullmatch(r"/([\w.-]+/[\w.-]+)/resolve/([^/]+)/config\.json", path)
    match = info or file
    if match is None:
        return 404, {"error": "Not found"}
    row = model(match[1])
    if row is None:
        return 401 if not authorization else 404, {"error": "Repository not found"}
    if match[2] not in (None, "main"):
        return 404, {"error": f"Invalid rev id: {match[2]}"}
    if info:
        size = int(float(row.get("weights_gib_bf16") or row.get("disk_gib") or 0) * 2**30)
        siblings = [{"rfilename": "config.json"}, {"rfilename": "model.safetensors", "size": size}]
        return 200, {"id": row["name"], "gated": "manual" if gated(row["name"]) else False, "siblings": siblings}
    if gated(row["name"]) and authorization != f"Bearer {hosting.hub_token}":
        return 403 if authorization else 401, {"error": f"Access to model {row['name']} is restricted."}
    kept = ("num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads",
            "head_dim", "vocab_size", "max_position_embeddings", "torch_dtype")  # fmt: skip
    return 200, {"architectures": [row["architecture"]], **{name: row[name] for name in kept if name in row}}
