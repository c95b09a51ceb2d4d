"""Redeploy: an event becomes deployments, once however often it is delivered."""

from __future__ import annotations

from typing import Any

from inservice.adapters import wiring
from inservice.deployments.redeploys import follow
from inservice.errors import Conflict, Unreadable

PORTS = ("lookup", "deployments", "executions", "clock", "region", "live", "hosting", "dead_letters")


def handler(event: dict[str, Any], context: Any, **given: Any) -> dict[str, Any]:
    """Opens what the event asks for; one that will never be followed goes to the dead-letter queue with the reason.

    Only faults that may pass (Unavailable) are raised, for Lambda to try again.
    """
    ports = {name: given[name] if name in given else wiring.port(name) for name in PORTS}
    dead_letters = ports.pop("dead_letters")
    try:
        answer: dict[str, Any] = {"deployment_ids": follow(event, **ports)}
    except (Unreadable, Conflict) as problem:
        dead_letters.put(event, str(problem))
        answer = {"deployment_ids": [], "refused": str(problem)}
    print({"event": event.get("id"), "detail-type": event.get("detail-type"), **answer})
    return answer
