"""Settle: what was only for the way there ends, and the endpoint's lease begins anew."""

from __future__ import annotations

from inservice.clock import Clock
from inservice.commands import Settle
from inservice.contracts import Settled
from inservice.deployments.journal import Journal
from inservice.ports import Alarms, Hosting
from inservice.settling.settle import settle
from inservice.step import step


@step
def handler(command: Settle, *, hosting: Hosting, alarms: Alarms, journal: Journal, clock: Clock) -> Settled:
    settled = settle(command, hosting=hosting, alarms=alarms, clock=clock)
    journal.settled(command.deployment_id, command.attempt, settled)
    return settled
