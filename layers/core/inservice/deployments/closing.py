"""Ending a deployment whose execution will not end it: stopped by someone, timed out, or dead."""

from __future__ import annotations

from typing import Any

from inservice.contracts import Diagnosis
from inservice.errors import LISTED, NotFound
from inservice.ports import Deployments, Executions

_RUNNING = ("IN_PROGRESS", "LOSING")


def stop_deployment(deployment_id: str, *, deployments: Deployments, executions: Executions, why: str) -> bool:
    """Stops the execution and starts one that cleans up and tells; False when the deployment had already ended."""
    facts = deployments.read(deployment_id)
    if facts is None:
        raise NotFound(f"there is no deployment {deployment_id}", fix=LISTED, field="deployment_id")
    if facts["status"] not in _RUNNING:
        return False
    # The safety net hears of the stop too, and may close first; it must tell the same reason.
    deployments.note(deployment_id, {}, {"stopped_because": why})
    executions.stop(deployment_id, why)
    close_deployment(deployment_id, deployments=deployments, executions=executions, why=why)
    return True


def close_deployment(deployment_id: str, *, deployments: Deployments, executions: Executions, why: str) -> bool:
    """Starts, once, the execution that cleans up after a dead one; False when there is nothing to close."""
    facts = deployments.read(deployment_id)
    if facts is None or facts["status"] not in _RUNNING:
        return False
    attempt = int(facts.get("attempt_count") or 1)
    stopped = Diagnosis(
        cause="UNKNOWN", confidence=1.0, summary=facts.get("stopped_because") or why, evidence=(), remedy=None
    )
    payload: dict[str, Any] = {
        "deployment_id": deployment_id,
        "stopped": True,
        "request": facts["request"],
        "attempt": attempt,
        "plan": facts.get(f"attempt.{attempt}.plan"),
        "endpoint": facts.get(f"attempt.{attempt}.endpoint"),
        "diagnosis": facts.get("diagnosis") if facts["status"] == "LOSING" else stopped.as_json(),
    }
    executions.start(f"{deployment_id}-close", payload)
    return True
