"""Diagnose: why the attempt failed, and the request of the next attempt if one is allowed and worth it."""

from __future__ import annotations

from inservice.clock import Clock
from inservice.commands import Diagnose
from inservice.contracts import Diagnosed
from inservice.deployments.journal import Journal
from inservice.deployments.repairs import tried_before
from inservice.diagnosis.attempt import diagnose_attempt, log_of_attempt, look_again_seconds
from inservice.planning.fallback import with_next_type
from inservice.planning.repair import checked, repaired
from inservice.ports import Deployments, Logs, Metrics
from inservice.step import step


@step
def handler(
    command: Diagnose,
    *,
    logs: Logs,
    metrics: Metrics,
    journal: Journal,
    deployments: Deployments,
    region: str,
    clock: Clock,
) -> Diagnosed:
    lines = log_of_attempt(command, logs=logs)
    seen = diagnose_attempt(command, lines=lines, metrics=metrics, clock=clock)
    if wait := look_again_seconds(command, seen, lines=lines, now=clock.now()):
        return Diagnosed(diagnosis=seen, repaired_request=None, look_again_seconds=wait)
    found = with_next_type(command.request, command.plan, seen, region=region)
    diagnosis = checked(command.request, found, region=region)
    tried = tried_before(command.deployment_id, command.attempt, deployments=deployments)
    spent = journal.outcome(command.deployment_id).cost_usd or 0.0
    repair = repaired(command.request, diagnosis, tried=tried, spent_usd=spent, region=region)
    again = repair.request if command.plan else None
    journal.diagnosed(
        command.deployment_id, command.attempt, diagnosis, again=again is not None, why_not=repair.why_not
    )
    return Diagnosed(diagnosis=diagnosis, repaired_request=again)
