"""What the API answers beside an Outcome and a Planning."""

from __future__ import annotations

from pydantic import Field

from inservice.contracts import Finding, Outcome, Plan, Record


class Started(Record):
    """A deployment is under way: where to look at it, and what the planner thinks of it."""

    deployment_id: str
    endpoint_name: str
    status_url: str
    plan: Plan | None
    findings: tuple[Finding, ...]


class NotAccepted(Record):
    """Every problem of a request, each with the field and its fix."""

    findings: tuple[Finding, ...]


class Listed(Record):
    """One page of deployments, newest first; `next` goes into the query for the following page."""

    deployments: tuple[Outcome, ...]
    next: str | None = None


class Mistake(Record):
    """One thing that is wrong with a call: where, what, and what to send instead."""

    field: str
    message: str
    fix: str


class Problem(Record):
    """An error as problem details (RFC 9457)."""

    title: str
    status: int
    detail: str
    errors: tuple[Mistake, ...] = Field((), description="What is at fault in the call, and what to send instead.")
