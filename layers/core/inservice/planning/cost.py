"""What it costs at list price."""

from __future__ import annotations

from inservice.planning.tables import instance


def hourly_usd(instance_type: str, count: int) -> float | None:
    """USD per hour for so many instances in us-east-1; None where the price is not known."""
    found = instance(instance_type)
    return round(found.usd_per_hour * count, 4) if found and found.usd_per_hour is not None else None
