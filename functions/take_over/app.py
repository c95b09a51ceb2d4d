"""TakeOver: the deployment of a dead execution comes into the hands of the one that closes it."""

from __future__ import annotations

from inservice.clock import Clock
from inservice.commands import TakeOver
from inservice.contracts import TakenOver
from inservice.deployments.closing import take_over
from inservice.ports import Deployments
from inservice.step import step


@step
def handler(command: TakeOver, *, deployments: Deployments, clock: Clock) -> TakenOver:
    return take_over(command, deployments=deployments, now=clock.now())
