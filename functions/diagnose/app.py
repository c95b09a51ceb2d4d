"""Diagnose: why the attempt failed, and the request of the next attempt if one is allowed and worth it."""

from __future__ import annotations

from inservice.commands import Diagnose
from inservice.contracts import Diagnosed
from inservice.deployments.journal import Journal
from inservice.deployments.repairs import tried_before
from inservice.diagnosis.attempt import diagnose_attempt
from inservice.planning.repair import checked, repaired
from inservice.ports import Deployments, Logs
from inservice.step import step


@step
def handler(command: Diagnose, *, logs: Logs, journal: Journal, deployments: Deployments, region: str) -> Diagnosed:
    diagnosis = checked(command.request, diagnose_attempt(command, logs=logs), region=region)
    tried = tried_before(command.deployment_id, command.attempt, deployments=deployments)
    again = repaired(command.request, diagnosis, tried=tried, region=region) if command.plan else None
    journal.diagnosed(command.deployment_id, command.attempt, diagnosis, again=again is not None)
    return Diagnosed(diagnosis=diagnosis, repaired_request=again)
