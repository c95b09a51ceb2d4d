"""Validate: the request becomes a plan, or every problem with it at once."""

from __future__ import annotations

from inservice.commands import Validate
from inservice.contracts import Planning
from inservice.deployments.journal import Journal
from inservice.deployments.repairs import changes_of
from inservice.planning import plan_request
from inservice.planning.asking import Lookup
from inservice.step import step


@step
def handler(command: Validate, *, lookup: Lookup, journal: Journal, region: str) -> Planning:
    planning = plan_request(command.request, lookups=lookup(command.request), region=region, attempt=command.attempt)
    changes = changes_of(journal.request(command.deployment_id), command.request) if command.attempt > 1 else {}
    journal.planned(command.deployment_id, command.attempt, planning, changes)
    return planning
