"""Turns: one execution has a deployment in hand, and whoever takes it over can see who is still at work.

Stopping an execution does not stop the function that it has called (StopExecution, Step Functions API reference). Such
a function could create an endpoint that has just been cleaned up after, or tell an outcome a second time.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from inservice.clock import Clock
from inservice.errors import Superseded, Unavailable
from inservice.ports import Deployments

# A function that died leaves its mark behind; Lambda ends every function after 15 minutes (Lambda quotas).
_LONGEST = timedelta(minutes=15)


@contextmanager
def turn(deployment_id: str, execution: str, *, deployments: Deployments, clock: Clock) -> Iterator[None]:
    """Lets a function of `execution` work on the deployment; raises Superseded once another execution has it."""
    mark = f"{clock.now().isoformat()}/{uuid.uuid4().hex}"
    if not deployments.enter(deployment_id, execution, mark):
        raise Superseded(
            f"execution {execution} has been replaced as the one that deploys {deployment_id}",
            fix="read the deployment's outcome; deploy again if it is still wanted",
        )
    try:
        yield
    finally:
        # A mark that stays makes a take-over wait, and no more.
        with contextlib.suppress(Unavailable):
            deployments.leave(deployment_id, mark)


def at_work(marks: tuple[str, ...], now: datetime) -> bool:
    """Whether one of these marks may be a function that still runs."""
    return any(now - datetime.fromisoformat(mark.partition("/")[0]) < _LONGEST for mark in marks)
