"""What is completed in the engine: a task's history says what its function was called with."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

from embedded.engine import _keep_parameters


def test_a_scheduled_task_carries_what_it_was_called_with() -> None:
    events: list[tuple[str, Any]] = []
    engine = SimpleNamespace(
        _apply_jsonata_arguments=lambda state, raw, context=None: {"Payload": raw},
        _add_event=lambda execution, kind, details=None: events.append((kind, details)),
    )
    _keep_parameters(engine)
    assert engine._apply_jsonata_arguments({}, {"attempt": 1}) == {"Payload": {"attempt": 1}}
    engine._add_event({}, "TaskScheduled", {"taskScheduledEventDetails": {"resource": "lambda"}})
    engine._add_event({}, "TaskStateExited")
    details = events[0][1]["taskScheduledEventDetails"]
    assert json.loads(details["parameters"]) == {"Payload": {"attempt": 1}}
    assert events[1] == ("TaskStateExited", None)


def test_the_engine_still_has_what_is_completed() -> None:
    from ministack.services import stepfunctions

    assert callable(stepfunctions._apply_jsonata_arguments)
    assert callable(stepfunctions._add_event)
