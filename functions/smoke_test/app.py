"""SmokeTest: one real request before anything is called deployed."""

from __future__ import annotations

from inservice.commands import SmokeTest
from inservice.contracts import SmokeTested
from inservice.deployments.journal import Journal
from inservice.ports import Invocations
from inservice.smoke_testing.smoke_test import smoke_test
from inservice.step import step


@step
def handler(command: SmokeTest, *, invocations: Invocations, journal: Journal) -> SmokeTested:
    tested = smoke_test(command, invocations=invocations)
    journal.smoke_tested(command.deployment_id, command.attempt, tested.answer, tested.problem)
    return tested
