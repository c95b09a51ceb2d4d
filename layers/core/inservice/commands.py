"""What each state asks of its function: the payload the state machine sends, one record per state."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from inservice.contracts import DeploymentRequest, Diagnosis, Endpoint, Plan, Record, Watch


class Fault(Record):
    """An error Step Functions caught: its name and what it says."""

    Error: str
    Cause: str = ""


class Validate(Record):
    """Resolve the request into a plan, or say everything that is wrong with it."""

    deployment_id: str
    attempt: int
    request: DeploymentRequest


class Provision(Record):
    """Make model, endpoint config and endpoint; `waits` counts how often the name was not free."""

    deployment_id: str
    attempt: int
    request: DeploymentRequest
    plan: Plan
    waits: int = 0


class Poll(Record):
    """Look at the endpoint once."""

    deployment_id: str
    attempt: int
    plan: Plan
    endpoint: Endpoint
    watch: Watch


class SmokeTest(Record):
    """Ask the endpoint one real question."""

    deployment_id: str
    attempt: int
    request: DeploymentRequest
    plan: Plan
    endpoint: Endpoint


class Settle(Record):
    """End what was only for the way there, on an endpoint that is deployed."""

    deployment_id: str
    attempt: int
    request: DeploymentRequest
    endpoint: Endpoint


class Diagnose(Record):
    """Say why this attempt failed, and whether another is worth it; `looks` counts the looks so far."""

    deployment_id: str
    attempt: int
    request: DeploymentRequest
    plan: Plan | None
    endpoint: Endpoint | None
    verdict: str | None
    reason: str | None
    losing: Diagnosis | None
    fault: Fault | None
    looks: int = Field(0, ge=0)


class CleanUp(Record):
    """Remove what this attempt made; `keep` leaves a failed endpoint in place, `tries` counts the rounds so far."""

    deployment_id: str
    attempt: int
    request: DeploymentRequest
    plan: Plan | None
    endpoint: Endpoint | None
    keep: bool
    tries: int = Field(ge=0)


class Publish(Record):
    """Tell the world how the deployment stands."""

    deployment_id: str
    status: Literal["LOSING", "DEPLOYED", "NOT_DEPLOYED", "REFUSED"]
    diagnosis: Diagnosis | None
    remaining: tuple[str, ...]
