"""What is completed in the engine, or made cheaper: what a function was called with, and what its error is called."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from embedded import engine as completed


def test_a_scheduled_task_carries_what_it_was_called_with() -> None:
    events: list[tuple[str, Any]] = []
    engine = SimpleNamespace(
        _apply_jsonata_arguments=lambda state, raw, context=None: {"Payload": raw},
        _add_event=lambda execution, kind, details=None: events.append((kind, details)),
    )
    completed._keep_parameters(engine)
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


def test_a_layer_is_unpacked_once_and_then_linked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as layer:
        layer.writestr("python/inservice/plan.py", "made = 1")
    linking = completed._linking(tmp_path / "kept")
    for worker in ("one", "two"):
        with linking.ZipFile(tmp_path / "layer.zip") as layer:
            layer.extractall(tmp_path / worker)
    one, two = (tmp_path / worker / "python/inservice/plan.py" for worker in ("one", "two"))
    assert (one.read_text(), one.stat().st_ino) == ("made = 1", two.stat().st_ino)


def test_the_engine_still_unpacks_with_zipfile() -> None:
    from ministack.core import lambda_runtime

    assert lambda_runtime.zipfile is zipfile


def test_an_error_of_a_function_has_the_name_of_its_class(monkeypatch: Any) -> None:
    from ministack.services import lambda_svc

    trace = 'Traceback (most recent call last):\n  File "app.py", line 1, in handler\ninservice.errors.Superseded: gone'
    body = {"errorMessage": "gone", "errorType": "Runtime.HandlerError"}
    monkeypatch.setattr(lambda_svc, "_execute_function_warm", lambda: {"body": body, "error": True, "log": trace})
    completed._name_errors(lambda_svc)
    assert lambda_svc._execute_function_warm()["body"] == {"errorMessage": "gone", "errorType": "Superseded"}
