"""Poll: one look at the endpoint and its newest log lines."""

from __future__ import annotations

from inservice.clock import Clock
from inservice.commands import Poll
from inservice.contracts import Observation
from inservice.deployments.journal import Journal
from inservice.ports import Hosting, Logs
from inservice.step import step
from inservice.watching import look
from inservice.watching.cursor import since_ms

# One look reads at most this much log; what is over comes with the next look.
_MOST_BYTES = 1_000_000


@step
def handler(command: Poll, *, hosting: Hosting, logs: Logs, journal: Journal, clock: Clock) -> Observation:
    endpoint, watch = command.endpoint, command.watch
    status = hosting.describe_endpoint(endpoint.endpoint_name)
    lines = logs.read(endpoint.log_group, since_ms(watch, endpoint), max_bytes=_MOST_BYTES)
    seen = look(status=status, lines=lines, previous=watch, endpoint=endpoint, plan=command.plan, now=clock.now())
    journal.observed(command.deployment_id, command.attempt, seen)
    return seen
