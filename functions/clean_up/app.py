"""CleanUp: one round of removing what this deployment made."""

from __future__ import annotations

from inservice.cleaning.clean_up import clean_up
from inservice.clock import Clock
from inservice.commands import CleanUp
from inservice.contracts import CleanedUp
from inservice.deployments.journal import Journal
from inservice.ports import Alarms, Hosting
from inservice.step import step


@step
def handler(
    command: CleanUp, *, hosting: Hosting, alarms: Alarms, journal: Journal, execution_role_arn: str, clock: Clock
) -> CleanedUp:
    if command.endpoint is None:
        # Provision may have died after SageMaker had begun: what it intended is what there is to remove.
        intended = journal.intended(command.deployment_id, command.attempt)
        command = command.model_copy(update={"endpoint": intended})
    cleaned = clean_up(command, hosting=hosting, alarms=alarms, execution_role_arn=execution_role_arn, clock=clock)
    journal.cleaned_up(command.deployment_id, command.attempt, cleaned.removed, done=cleaned.done)
    return cleaned
