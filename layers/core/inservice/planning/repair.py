"""The request of the next attempt: the remedy applied, if it was granted and the planner accepts it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from inservice.contracts import DeploymentRequest, Diagnosis
from inservice.planning.plan import plan_request


def checked(request: DeploymentRequest, diagnosis: Diagnosis, *, region: str = "us-east-1") -> Diagnosis:
    """The diagnosis, whose remedy is no longer automatic when the planner would refuse the changed request."""
    remedy = diagnosis.remedy
    if remedy is None or not remedy.automatic or not remedy.changes or _changed(request, remedy.changes, region):
        return diagnosis
    said = f"{remedy.explanation} The planner refuses the request with this change; `inservice plan` says why."
    return diagnosis.model_copy(update={"remedy": remedy.model_copy(update={"automatic": False, "explanation": said})})


def repaired(
    request: DeploymentRequest, diagnosis: Diagnosis, *, tried: tuple[dict[str, Any], ...], region: str = "us-east-1"
) -> DeploymentRequest | None:
    """The repaired request; None when no repair is allowed, left, new, or accepted."""
    remedy = diagnosis.remedy
    if remedy is None or not remedy.automatic or not remedy.changes or remedy.allow not in request.repair.allow:
        return None
    if len(tried) >= request.repair.max_attempts or remedy.changes in tried:
        return None
    return _changed(request, remedy.changes, region)


def _changed(request: DeploymentRequest, changes: dict[str, Any], region: str) -> DeploymentRequest | None:
    """The request with the changes, if that is a different request and the planner accepts it."""
    try:
        changed = DeploymentRequest.model_validate({**request.as_json(), **changes})
    except ValidationError:
        return None
    return changed if changed != request and plan_request(changed, region=region).accepted else None
