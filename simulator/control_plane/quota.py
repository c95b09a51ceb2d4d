"""Quotas for endpoint usage: what is in use, and what would be too much."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from simulator.wire.errors import limit_exceeded

if TYPE_CHECKING:
    from simulator.simulation import Simulation


def require_quota(simulation: Simulation, config: dict[str, Any], rolling: dict[str, Any] | None = None) -> None:
    """Raises ResourceLimitExceeded where the new instances would exceed a quota; every pool type needs its own."""
    used = in_use(simulation)
    for kind, wanted in _needed(config, rolling).items():
        quota = simulation.quota(kind)
        if used[kind] + wanted > quota:
            raise limit_exceeded(
                f"The account-level service limit '{kind} for endpoint usage' is {quota} Instances, with current "
                f"utilization of {used[kind]} Instances and a request delta of {wanted} Instances. Please use "
                f"AWS Service "
                "Quotas to request an increase for this quota. If AWS Service Quotas is not available, contact AWS "
                "support to request an increase for this quota."
            )


def in_use(simulation: Simulation) -> Counter[str]:
    """Instances by type, those still being created included."""
    used: Counter[str] = Counter()
    for endpoint in simulation.endpoints.values():
        for fleet in filter(None, (endpoint.fleet, endpoint.pending_fleet)):
            for variant in fleet.config["ProductionVariants"]:
                for kind in _kinds(variant)[:1]:
                    used[kind] += max(fleet.wanted[variant["VariantName"]], fleet.count(variant["VariantName"]))
    return used


def _needed(config: dict[str, Any], rolling: dict[str, Any] | None) -> Counter[str]:
    needed: Counter[str] = Counter()
    for variant in config["ProductionVariants"]:
        count = int(variant.get("InitialInstanceCount", 1))
        if rolling:
            size = rolling["MaximumBatchSize"]
            part = size["Value"] if size["Type"] == "INSTANCE_COUNT" else math.ceil(count * size["Value"] / 100)
            count = min(count, int(part))
        for kind in _kinds(variant):
            needed[kind] += count
    return needed


def _kinds(variant: dict[str, Any]) -> list[str]:
    pools = sorted(variant.get("InstancePools") or [], key=lambda pool: pool["Priority"])
    return [pool["InstanceType"] for pool in pools] or [variant["InstanceType"]]
