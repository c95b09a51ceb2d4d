"""When a failed attempt is looked at again: while lines may still be on their way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inservice.commands import Diagnose
from inservice.contracts import Diagnosis
from inservice.diagnosis.attempt import look_again_seconds
from inservice.ports import LogLine

SAMPLE = json.loads((Path(__file__).parents[3] / "events" / "state-diagnose.json").read_text())
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def again(cause: str, *, silent_seconds: int, **fields: Any) -> int | None:
    """The wait after a look that found `cause` in a log whose newest line is so old."""
    command = Diagnose.model_validate({**SAMPLE, "verdict": "failed", "looks": 0, **fields})
    found = Diagnosis(cause=cause, confidence=0.9, summary="", evidence=("a line",), remedy=None)
    lines = [LogLine(int(NOON.timestamp() - silent_seconds) * 1000, "s", "a line")]
    return look_again_seconds(command, found, lines=lines, now=NOON)


@pytest.mark.parametrize(
    ("cause", "silent_seconds", "expected"),
    [("STARTUP_TIMEOUT", 30, None), ("STARTUP_TIMEOUT", 120, 30), ("GPU_OOM_WEIGHTS", 120, None), ("UNKNOWN", 10, 30)],
    ids=["it loaded to the end", "the log breaks off", "an error is printed", "nothing is known"],
)
def test_a_timeout_is_believed_when_the_log_goes_on_to_the_end(
    cause: str, silent_seconds: int, expected: int | None
) -> None:
    assert again(cause, silent_seconds=silent_seconds) == expected


def test_a_log_that_stays_silent_is_not_waited_for_for_ever() -> None:
    assert again("STARTUP_TIMEOUT", silent_seconds=900, looks=3) is None
