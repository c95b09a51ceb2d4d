"""`inservice deploy`: sends a request, shows the plan, and follows it to its end."""

from __future__ import annotations

from typing import Any

from inservice.contracts import Planning
from rich.console import Console

from cli import plan
from cli.api import Service, find_service
from cli.following import follow
from cli.reading import request_of
from cli.telling import console, tell_json, tell_outcome

DEPLOYED, NOT_DEPLOYED = 0, 1


def run(path: str, *, detach: bool, json_output: bool, service: Service | None = None) -> int:
    """0 deployed (or started, when detached), 1 not deployed. Raises Unusable, and ApiError when it is refused."""
    request = request_of(path)
    service = service or find_service()
    told = console(stderr=json_output)
    accepted = service.call("POST", "/deployments", request)
    if detach:
        return _started(accepted, told, json_output=json_output)
    show_plan(accepted, told)
    outcome = _followed(service, accepted["deployment_id"], told)
    if json_output:
        tell_json(outcome)
    elif outcome["status"] != "DEPLOYED":
        tell_outcome(outcome, told)
    return DEPLOYED if outcome["status"] == "DEPLOYED" else NOT_DEPLOYED


def _followed(service: Service, deployment_id: str, told: Console) -> dict[str, Any]:
    try:
        return follow(service, deployment_id, console=told)
    except KeyboardInterrupt:
        told.print(
            f"{deployment_id} goes on. Look: inservice status {deployment_id}; end it: inservice stop {deployment_id}",
            soft_wrap=True,
        )
        raise


def show_plan(accepted: dict[str, Any], told: Console) -> None:
    """What will run, and every finding about the request."""
    planning = {"accepted": True, "findings": accepted["findings"], "plan": accepted["plan"]}
    plan.show(Planning.model_validate(planning), told)


def _started(accepted: dict[str, Any], told: Console, *, json_output: bool) -> int:
    if json_output:
        tell_json(accepted)
        return DEPLOYED
    show_plan(accepted, told)
    told.print(f"Started {accepted['deployment_id']}; look with: inservice status {accepted['deployment_id']}")
    return DEPLOYED
