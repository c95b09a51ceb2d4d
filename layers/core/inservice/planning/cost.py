"""What it costs at list price."""

from __future__ import annotations

from inservice.contracts import DeploymentRequest, Plan
from inservice.planning.tables import instance


def hourly_usd(instance_type: str, count: int) -> float | None:
    """USD per hour for so many instances in us-east-1; None where the price is not known."""
    found = instance(instance_type)
    return round(found.usd_per_hour * count, 4) if found and found.usd_per_hour is not None else None


def worst_attempt_usd(plan: Plan, request: DeploymentRequest) -> float | None:
    """One attempt through both windows, on the dearest type it may land on; None where no price is known."""
    named = [pool.instance_type for pool in plan.instance_pools or ()]
    named += [name for name in request.fallback_instance_types if name not in named]
    others = [hourly_usd(name, request.instance_count) for name in named]
    prices = [price for price in (plan.cost_per_hour_usd, *others) if price is not None]
    seconds = plan.health_check_timeout_seconds + plan.download_timeout_seconds
    return max(prices) * seconds / 3600 if prices else None
