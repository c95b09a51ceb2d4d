"""Redeploy: an event becomes deployments, once however often it is delivered."""

from __future__ import annotations

from typing import Any

from inservice.adapters import wiring
from inservice.deployments.opening import open_deployment
from inservice.deployments.redeploys import documents_of
from inservice.errors import Unreadable

PORTS = ("lookup", "deployments", "executions", "clock", "region")


def handler(event: dict[str, Any], context: Any, **given: Any) -> dict[str, list[str]]:
    """Opens a deployment for each document the event stands for; raises for an event that says nothing usable."""
    ports = {name: given[name] if name in given else wiring.port(name) for name in PORTS}
    opened: list[str] = []
    for document in documents_of(event, deployments=ports["deployments"]):
        answer = open_deployment(document, key=str(event["id"]), **ports)
        if answer.deployment_id is None:
            errors = [f"{f.field}: {f.message}" for f in answer.planning.findings if f.severity == "error"]
            raise Unreadable(f"event {event['id']} asks for what cannot be deployed: {'; '.join(errors)}")
        opened.append(answer.deployment_id)
    return {"deployment_ids": opened}
