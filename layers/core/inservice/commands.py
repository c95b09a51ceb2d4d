"""What each state asks of its function: the payload the state machine sends, one record per state."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from inservice.contracts import DeploymentRequest, Diagnosis, Endpoint, Plan, Record, Watch


class Fault(Record):
    """An error Step Functions caught: its name and what it says."""

    Error: str
    Cause: str = ""


class Command(Record):
    """What every state knows; `execution` is who asks, None when somebody runs a state by hand."""

    deployment_id: str
    execution: str | None = None


class Validate(Command):
    """Resolve the request into a plan, or say everything that is wrong with it."""

    attempt: int
    request: DeploymentRequest


class Provision(Command):
    """Make model, endpoint config and endpoint; `waits` counts how often the name was not free."""

    attempt: int
    request: DeploymentRequest
    plan: Plan
    waits: int = 0


class Poll(Command):
    """Look at the endpoint once."""

    attempt: int
    plan: Plan
    endpoint: Endpoint
    watch: Watch


class SmokeTest(Command):
    """Ask the endpoint one real question."""

    attempt: int
    request: DeploymentRequest
    plan: Plan
    endpoint: Endpoint


class Settle(Command):
    """End what was only for the way there, on an endpoint that is deployed."""

    attempt: int
    request: DeploymentRequest
    endpoint: Endpoint


class Diagnose(Command):
    """Say why this attempt failed, and whether another is worth it; `looks` counts the looks so far."""

    attempt: int
    request: DeploymentRequest
    plan: Plan | None
    endpoint: Endpoint | None
    verdict: str | None
    reason: str | None
    losing: Diagnosis | None
    fault: Fault | None
    looks: int = Field(0, ge=0)


class CleanUp(Command):
    """Remove what this attempt made; `keep` leaves a failed endpoint in place, `tries` counts the rounds so far."""

    attempt: int
    request: DeploymentRequest
    plan: Plan | None
    endpoint: Endpoint | None
    keep: bool
    tries: int = Field(ge=0)


class Publish(Command):
    """Tell the world how the deployment stands."""

    status: Literal["LOSING", "DEPLOYED", "NOT_DEPLOYED", "REFUSED"]
    diagnosis: Diagnosis | None
    remaining: tuple[str, ...]


class TakeOver(Record):
    """Put a deployment whose execution has ended into the hands of another execution, `by`."""

    deployment_id: str
    by: str
    why: str
