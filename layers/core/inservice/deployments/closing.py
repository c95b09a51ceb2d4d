"""Ending a deployment whose execution will not end it: stopped by someone, timed out, or dead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from inservice.commands import TakeOver
from inservice.contracts import RUNNING, Diagnosis, TakenOver
from inservice.deployments.turns import at_work
from inservice.errors import LISTED, NotFound
from inservice.ports import Deployments, Executions

_WAIT_SECONDS = 10


def stop_deployment(deployment_id: str, *, deployments: Deployments, executions: Executions, why: str) -> bool:
    """Stops the execution and starts one that cleans up and tells; False when the deployment had already ended."""
    facts = deployments.read(deployment_id)
    if facts is None:
        raise NotFound(f"there is no deployment {deployment_id}", fix=LISTED, field="deployment_id")
    if facts["status"] not in RUNNING:
        return False
    # The safety net hears of the stop too, and may close first; it must tell the same reason.
    deployments.note(deployment_id, {}, {"stopped_because": why})
    executions.stop(deployment_id, why)
    close_deployment(deployment_id, deployments=deployments, executions=executions, why=why)
    return True


def close_deployment(deployment_id: str, *, deployments: Deployments, executions: Executions, why: str) -> bool:
    """Starts, once, the execution that cleans up after a dead one; False when there is nothing to close."""
    facts = deployments.read(deployment_id)
    if facts is None or facts["status"] not in RUNNING:
        return False
    payload = {"deployment_id": deployment_id, "stopped": True, "why": why, "request": facts["request"]}
    executions.start(f"{deployment_id}-close", payload)
    return True


def take_over(command: TakeOver, *, deployments: Deployments, now: datetime) -> TakenOver:
    """How far a dead execution had come, once none of its functions is at work; it can begin nothing any more."""
    found = deployments.take_over(command.deployment_id, command.by)
    if found is None:
        raise NotFound(f"there is no deployment {command.deployment_id}", fix=LISTED, field="deployment_id")
    facts, marks = found
    if facts["status"] not in RUNNING:
        return TakenOver(wait_seconds=None, ended=True, status=facts["status"], diagnosis=facts.get("diagnosis"))
    if at_work(marks, now):
        return TakenOver(wait_seconds=_WAIT_SECONDS)
    return _as_far_as_it_came(facts, command.why)


def _as_far_as_it_came(facts: dict[str, Any], why: str) -> TakenOver:
    attempt = int(facts.get("attempt_count") or 1)
    endpoint = facts.get(f"attempt.{attempt}.endpoint")
    # It has answered a real request: what serves is not torn down because the news of it was interrupted.
    answered = bool(facts.get("answer")) and endpoint is not None
    stopped = Diagnosis(
        cause="UNKNOWN", confidence=1.0, summary=facts.get("stopped_because") or why, evidence=(), remedy=None
    )
    proved = facts["status"] == "LOSING"
    return TakenOver(
        wait_seconds=None,
        answered=answered,
        status="DEPLOYED" if answered else "NOT_DEPLOYED",
        request={**facts["request"], **(facts.get(f"attempt.{attempt}.changes") or {})},
        attempt=attempt,
        plan=facts.get(f"attempt.{attempt}.plan"),
        endpoint=endpoint,
        diagnosis=None if answered else facts.get("diagnosis") if proved else stopped.as_json(),
    )
