"""The request of the next attempt: the remedy applied, if it was granted and the planner accepts it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from inservice.contracts import DeploymentRequest, Diagnosis
from inservice.planning.plan import plan_request


def repaired(
    request: DeploymentRequest, diagnosis: Diagnosis, *, tried: tuple[dict[str, Any], ...], region: str = "us-east-1"
) -> DeploymentRequest | None:
    """The repaired request; None when no repair is allowed, left, new, or accepted."""
    remedy = diagnosis.remedy
    if remedy is None or not remedy.automatic or not remedy.changes or remedy.allow not in request.repair.allow:
        return None
    if len(tried) >= request.repair.max_attempts or remedy.changes in tried:
        return None
    try:
        changed = DeploymentRequest.model_validate({**request.as_json(), **remedy.changes})
    except ValidationError:
        return None
    return changed if changed != request and plan_request(changed, region=region).accepted else None
