"""Capacity that was not there: the next of the types the user named, each tried once."""

from __future__ import annotations

from inservice.contracts import DeploymentRequest, Diagnosis, Plan, Remedy
from inservice.planning.plan import plan_request


def with_next_type(
    request: DeploymentRequest, plan: Plan | None, diagnosis: Diagnosis, *, region: str = "us-east-1"
) -> Diagnosis:
    """The diagnosis, whose remedy is the next named type that the planner accepts and that was not tried yet.

    A plan with pools has tried every type in them; what SageMaker does not take into one pool comes after it.
    """
    if diagnosis.cause != "CAPACITY" or plan is None:
        return diagnosis
    tried = {plan.instance_type, *(pool.instance_type for pool in plan.instance_pools or ())}
    left = [name for name in request.fallback_instance_types if name not in tried]
    for at, name in enumerate(left):
        changes = {"instance_type": name, "fallback_instance_types": left[at + 1 :]}
        changed = DeploymentRequest.model_validate({**request.as_json(), **changes})
        if plan_request(changed, region=region).accepted:
            said = f"{name} is the next type the request accepts."
            remedy = Remedy(automatic=True, allow="instance", changes=changes, explanation=said)
            return diagnosis.model_copy(update={"remedy": remedy})
    if not request.fallback_instance_types and len(tried) == 1:
        return diagnosis
    said = f"There was no capacity for {', '.join(sorted(tried))}, and no other named type is left. Try later."
    return diagnosis.model_copy(update={"summary": f"{diagnosis.summary} {said}", "remedy": None})


def is_next_type(changes: dict[str, object]) -> bool:
    """Whether a change only takes the next named type: the user granted it by naming it, so it is no repair."""
    return set(changes) == {"instance_type", "fallback_instance_types"}
