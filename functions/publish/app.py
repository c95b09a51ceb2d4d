"""Publish: the outcome goes into the table and to the topic, and the endpoint is free for the next deployment."""

from __future__ import annotations

from inservice.commands import Publish
from inservice.contracts import Outcome
from inservice.deployments.journal import Journal
from inservice.deployments.live import remember_live
from inservice.ports import Announcements, Deployments, LiveEndpoints
from inservice.publishing.topic import sns_message
from inservice.step import step


@step
def handler(
    command: Publish, *, journal: Journal, deployments: Deployments, live: LiveEndpoints, announcements: Announcements
) -> Outcome:
    if command.status != "LOSING":
        journal.closed(command.deployment_id, command.status, command.diagnosis, command.remaining)
    if command.status == "DEPLOYED":
        remember_live(command.deployment_id, deployments=deployments, live=live)
    outcome = journal.outcome(command.deployment_id)
    if command.status != "LOSING":
        deployments.unlock(outcome.endpoint_name, command.deployment_id)
    if not journal.announced(command.deployment_id, command.status):
        said = sns_message(outcome)
        announcements.publish(said.subject, said.message, said.attributes)
        journal.mark_announced(command.deployment_id, command.status)
    return outcome
