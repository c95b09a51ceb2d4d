"""Provision: model, endpoint config and endpoint, created or updated."""

from __future__ import annotations

import functools

from inservice.clock import Clock
from inservice.commands import Provision
from inservice.contracts import Provisioned
from inservice.deployments.journal import Journal
from inservice.ports import Alarms, Hosting, Secrets
from inservice.provisioning.provision import provision
from inservice.step import step


@step
def handler(
    command: Provision,
    *,
    hosting: Hosting,
    alarms: Alarms,
    secrets: Secrets,
    journal: Journal,
    execution_role_arn: str,
    clock: Clock,
) -> Provisioned:
    made = provision(
        command,
        hosting=hosting,
        alarms=alarms,
        secrets=secrets,
        execution_role_arn=execution_role_arn,
        clock=clock,
        intend=functools.partial(journal.intends, command.deployment_id, command.attempt),
        intended=journal.intended(command.deployment_id, command.attempt),
    )
    if made.endpoint:
        journal.provisioned(command.deployment_id, command.attempt, made.endpoint)
    if made.refusal:
        journal.refused_by_sagemaker(command.deployment_id, command.attempt, made.refusal)
    if made.waiting_for:
        journal.waiting(command.deployment_id, command.attempt, made.waiting_for)
    return made
