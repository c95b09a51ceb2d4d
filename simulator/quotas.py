"""Service Quotas for SageMaker endpoint usage."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from simulator.beliefs.tables import table
from simulator.control_plane.listing import page
from simulator.wire.errors import AwsError

if TYPE_CHECKING:
    from simulator.simulation import Simulation


def list_quotas(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """ListServiceQuotas: one per hosting type."""
    _require_sagemaker(asked)
    rows = [{**_quota(simulation, kind), "CreationTime": 0.0} for kind in sorted(table("instances")["types"])]
    return page("Quotas", rows, {**asked, "MaxResults": asked.get("MaxResults") or 100, "SortOrder": "Ascending"},
                "QuotaName")  # fmt: skip


def get_quota(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """GetServiceQuota, by code."""
    _require_sagemaker(asked)
    for kind in table("instances")["types"]:
        if _code(kind) == asked["QuotaCode"]:
            return {"Quota": _quota(simulation, kind)}
    raise AwsError("NoSuchResourceException", f"The request failed because the quota {asked['QuotaCode']} is unknown.")


def _quota(simulation: Simulation, kind: str) -> dict[str, Any]:
    return {
        "ServiceCode": "sagemaker", "ServiceName": "Amazon SageMaker", "QuotaCode": _code(kind),
        "QuotaName": f"{kind} for endpoint usage", "Value": float(simulation.quota(kind)), "Unit": "None",
        "Adjustable": True, "GlobalQuota": False,
    }  # fmt: skip


def _code(kind: str) -> str:
    """A code in AWS's form; the digits are the simulator's own."""
    return "L-" + hashlib.sha256(kind.encode()).hexdigest()[:8].upper()


def _require_sagemaker(asked: dict[str, Any]) -> None:
    if asked["ServiceCode"] != "sagemaker":
        raise AwsError("NoSuchResourceException", f"The service code {asked['ServiceCode']} is not known.")


OPERATIONS = {
    "ListServiceQuotas": list_quotas,
    "GetServiceQuota": get_quota,
    "ListAWSDefaultServiceQuotas": list_quotas,
}
