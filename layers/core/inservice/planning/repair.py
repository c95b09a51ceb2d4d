"""The request of the next attempt: the remedy applied, if it was granted and the planner accepts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from inservice.contracts import DeploymentRequest, Diagnosis
from inservice.planning.cost import worst_attempt_usd
from inservice.planning.fallback import is_next_type
from inservice.planning.plan import plan_request


def checked(request: DeploymentRequest, diagnosis: Diagnosis, *, region: str = "us-east-1") -> Diagnosis:
    """The diagnosis, whose remedy is automatic only if it changes the request and the planner accepts that."""
    remedy = diagnosis.remedy
    if remedy is None or not remedy.automatic or not remedy.changes or _changed(request, remedy.changes, region):
        return diagnosis
    update: dict[str, Any] = {"automatic": False}
    if all(request.as_json().get(field) == value for field, value in remedy.changes.items()):
        update["changes"] = {}
    else:
        said = "The planner refuses the request with this change; `inservice plan` says why."
        update["explanation"] = f"{remedy.explanation} {said}"
    return diagnosis.model_copy(update={"remedy": remedy.model_copy(update=update)})


@dataclass(frozen=True)
class Repair:
    """The request of the next attempt, or None and in words why there is none."""

    request: DeploymentRequest | None
    why_not: str | None = None


def repaired(
    request: DeploymentRequest,
    diagnosis: Diagnosis,
    *,
    tried: tuple[dict[str, Any], ...],
    spent_usd: float = 0.0,
    region: str = "us-east-1",
) -> Repair:
    """The repaired request; none when no repair is allowed, left, new, accepted, or within the budget."""
    remedy = diagnosis.remedy
    if remedy is None or not remedy.automatic or not remedy.changes:
        return Repair(None)
    named = diagnosis.cause == "CAPACITY" and is_next_type(remedy.changes)
    if not named and remedy.allow not in request.repair.allow:
        return Repair(None, f"The remedy was not tried: repair.allow does not grant {remedy.allow}.")
    repairs = [changes for changes in tried if not is_next_type(changes)]
    if not named and len(repairs) >= request.repair.max_attempts:
        return Repair(None, f"The remedy was not tried: repair.max_attempts is {request.repair.max_attempts}.")
    if remedy.changes in tried:
        return Repair(None, "The remedy was tried before and did not help.")
    attempt = len(repairs) + (1 if named else 2)
    changed = _changed(request, remedy.changes, region, attempt)
    if changed is None:
        return Repair(None, "The remedy was not tried: the planner refuses the request with it.")
    over = _over_budget(changed, spent_usd, region, attempt)
    return Repair(None, over) if over else Repair(changed)


def _over_budget(changed: DeploymentRequest, spent_usd: float, region: str, attempt: int) -> str | None:
    """Why another attempt would be too dear, after what was spent; None when it is not."""
    plan = plan_request(changed, region=region, attempt=attempt).plan
    worst = worst_attempt_usd(plan, changed) if plan else None
    limit = changed.max_cost_usd
    if limit is None or worst is None or spent_usd + worst <= limit:
        return None
    return (
        f"The remedy was not tried: about {spent_usd:.2f} USD are spent, it may cost {worst:.2f} more, and "
        f"max_cost_usd is {limit:.2f}."
    )


def _changed(
    request: DeploymentRequest, changes: dict[str, Any], region: str, attempt: int = 2
) -> DeploymentRequest | None:
    """The request with the changes, if that is a different request and the planner accepts it."""
    try:
        changed = DeploymentRequest.model_validate({**request.as_json(), **changes})
    except ValidationError:
        return None
    # What was spent is counted apart: here the budget is no reason, so that its own words are told.
    free = changed.model_copy(update={"max_cost_usd": None})
    return changed if changed != request and plan_request(free, region=region, attempt=attempt).accepted else None
