"""TakeOver: what a stopped execution still has at work is waited for, and it can begin nothing any more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.deployments.closing import close_deployment, stop_deployment
from inservice.deployments.turns import turn
from inservice.errors import NotFound, Superseded

DEAD, CLOSING = "d-1", "d-1-close"
ENDPOINT = {
    "endpoint_name": "chat", "endpoint_arn": "arn:e", "endpoint_config_name": "c", "model_names": ["m"],
    "variant_name": "AllTraffic", "created": True, "log_group": "g", "started_at": "2026-11-25T12:00:00Z",
}  # fmt: skip


@pytest.fixture
def take_over(app: Any, table: Any, request_: Any) -> Any:
    """One call of the function, for a deployment of which its record says this and that."""
    table.create(DEAD, {"status": "IN_PROGRESS", "request": request_.as_json(), "attempt_count": 1})

    def run(clock: Clock | None = None, **facts: Any) -> dict[str, Any]:
        table.note(DEAD, {name.replace("__", "."): value for name, value in facts.items()}, {})
        event = {"deployment_id": DEAD, "by": CLOSING, "why": "It was killed."}
        return dict(app("take_over").handler(event, None, deployments=table, clock=clock or Clock()))

    return run


def test_what_the_dead_execution_made_is_handed_over(take_over: Any) -> None:
    found = take_over(attempt__1__endpoint=ENDPOINT)
    assert found["wait_seconds"] is None
    assert found["endpoint"]["endpoint_name"] == "chat"
    assert (found["status"], found["diagnosis"]["summary"]) == ("NOT_DEPLOYED", "It was killed.")


def test_a_function_at_work_is_waited_for_and_what_it_made_is_known(take_over: Any, table: Any) -> None:
    with turn(DEAD, DEAD, deployments=table, clock=Clock()):
        assert take_over()["wait_seconds"] > 0
        table.note(DEAD, {"attempt.1.endpoint": ENDPOINT}, {})
    assert take_over()["endpoint"]["endpoint_name"] == "chat"


def test_the_dead_execution_can_begin_nothing_any_more(take_over: Any, table: Any, app: Any) -> None:
    take_over()
    event = {"deployment_id": DEAD, "execution": DEAD, "attempt": 1, "request": table.read(DEAD)["request"]}
    ports = {"deployments": table, "clock": Clock(), "lookup": None, "journal": None, "region": "us-east-1"}
    with pytest.raises(Superseded, match="has been replaced"):
        app("validate").handler(event, None, **ports)
    assert table.marks == {}


def test_a_function_that_died_is_not_waited_for_for_ever(take_over: Any, table: Any) -> None:
    table.enter(DEAD, DEAD, "2026-11-25T12:00:00+00:00/its-mark")
    noon = datetime(2026, 11, 25, 12, tzinfo=UTC).timestamp()
    assert take_over(Clock(scale=0, epoch=noon + 890))["wait_seconds"] > 0
    assert take_over(Clock(scale=0, epoch=noon + 910))["wait_seconds"] is None


def test_what_has_answered_is_settled_and_not_torn_down(take_over: Any) -> None:
    found = take_over(attempt__1__endpoint=ENDPOINT, answer="Hello.")
    assert (found["answered"], found["status"], found["diagnosis"]) == (True, "DEPLOYED", None)


def test_an_outcome_that_was_written_meanwhile_stays(take_over: Any) -> None:
    found = take_over(status="DEPLOYED")
    assert (found["ended"], found["status"]) == (True, "DEPLOYED")


def test_the_attempt_that_was_under_way_is_cleaned_up_with_its_own_request(take_over: Any) -> None:
    changes = {"health_check_timeout_seconds": 900}
    found = take_over(attempt_count=2, attempt__2__changes=changes, attempt__2__endpoint=ENDPOINT)
    assert (found["attempt"], found["request"]["health_check_timeout_seconds"]) == (2, 900)


def test_a_proved_cause_is_not_forgotten(take_over: Any) -> None:
    proved = {"cause": "GATED_OR_AUTH", "confidence": 0.95, "summary": "Gated.", "evidence": ["403"], "remedy": None}
    assert take_over(status="LOSING", diagnosis=proved)["diagnosis"]["cause"] == "GATED_OR_AUTH"


def test_the_reason_of_the_stop_is_told_whoever_closes_first(take_over: Any, table: Any) -> None:
    class Racing:
        """The engine's event about the stop is followed before the API has started the closing execution."""

        def __init__(self) -> None:
            self.started: list[str] = []

        def stop(self, name: str, reason: str) -> None:
            close_deployment(name, deployments=table, executions=self, why="Its execution ended.")

        def start(self, name: str, payload: dict[str, Any]) -> str:
            self.started.append(name)
            return name

    stop_deployment(DEAD, deployments=table, executions=Racing(), why="A caller stopped it.")
    assert take_over()["diagnosis"]["summary"] == "A caller stopped it."


def test_a_deployment_that_does_not_exist_is_said_not_to(app: Any, table: Any) -> None:
    event = {"deployment_id": "d-none", "by": "d-none-close", "why": ""}
    with pytest.raises(NotFound, match="d-none"):
        app("take_over").handler(event, None, deployments=table, clock=Clock())
