"""SafetyNet: an execution that was stopped, timed out or died still ends in an outcome and a clean-up."""

from __future__ import annotations

from typing import Any

from inservice.adapters import wiring
from inservice.deployments.closing import close_deployment
from inservice.ports import Deployments, Executions


def handler(
    event: dict[str, Any], context: Any, *, deployments: Deployments | None = None, executions: Executions | None = None
) -> dict[str, bool]:
    """Closes the deployment of an execution that ended without closing it itself; the same event twice closes once."""
    name, status = event["detail"]["name"], event["detail"]["status"]
    closed = close_deployment(
        name.removesuffix("-close"),
        deployments=deployments or wiring.port("deployments"),
        executions=executions or wiring.port("executions"),
        why=f"Its execution ended without an outcome ({status}).",
    )
    return {"closed": closed}
