"""Sweep: on a schedule, what deployments left behind and endpoints whose lease has ended."""

from __future__ import annotations

import os
from typing import Any

from inservice.adapters import wiring
from inservice.cleaning.sweep import Sweep, sweep


def handler(event: dict[str, Any], context: Any, **given: Any) -> dict[str, Any]:
    """One round in the event's `mode`, or in the stack's SWEEP_MODE when the schedule calls; the log has the answer."""
    mode = event.get("mode") or os.environ.get("SWEEP_MODE", "report")
    ports = {
        name: given[name] if name in given else wiring.port(name)
        for name in ("inventory", "alarms", "hosting", "deployments")
    }
    clock = given.get("clock") or wiring.port("clock")
    answer = sweep(Sweep(mode=mode), **ports, now=clock.now()).as_json()
    print(answer)
    return answer
