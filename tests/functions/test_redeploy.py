"""Redeploy: what an event asks for is done once, the newest wins, nothing loops, and what cannot be done is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inservice.ports import EndpointDescription, LiveEndpoint, Lookups

EVENTS = Path(__file__).parents[2] / "events"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
GROUP = "arn:aws:sagemaker:us-east-1:123456789012:model-package/llama"
REQUEST = {"endpoint_name": "chat", "model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge"}


class Executions:
    """What was started."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}

    def start(self, name: str, payload: dict[str, Any]) -> str:
        self.started[name] = payload["request"]
        return name

    def is_running(self, name: str) -> bool:
        return name in self.started


class At:
    """A clock that stands still."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def executions() -> Executions:
    return Executions()


@pytest.fixture
def deliver(
    app: Any, table: Any, live: Any, hosting: Any, dead_letters: Any, executions: Executions, sample_event: Any
) -> Any:
    hosting.endpoint = EndpointDescription("InService", "config-1")
    ports = {"lookup": lambda request: Lookups(), "deployments": table, "executions": executions, "live": live,
             "hosting": hosting, "dead_letters": dead_letters, "region": "us-east-1"}  # fmt: skip

    def send(event: dict[str, Any], *, at: datetime = NOW) -> list[str]:
        return list(app("redeploy").handler(event, None, **ports, clock=At(at))["deployment_ids"])

    return send


@pytest.fixture
def sample_event() -> Any:
    def read(name: str, event_id: str = "e-1", **detail: Any) -> dict[str, Any]:
        event = json.loads((EVENTS / f"eventbridge-{name}.json").read_text())
        return {**event, "id": event_id, "detail": {**event["detail"], **detail}}

    return read


@pytest.fixture
def running(live: Any) -> Any:
    def note(**fields: Any) -> None:
        request = {**REQUEST, **fields}
        live.put(LiveEndpoint("chat", "d-0", (NOW - timedelta(days=8)).isoformat(), "config-1", request, {}))

    return note


def end(table: Any, live: Any, deployment_id: str, config: str = "config-1") -> None:
    """The deployment has succeeded, and the endpoint is free."""
    table.note(deployment_id, {"status": "DEPLOYED"}, {})
    table.unlock("chat", deployment_id)
    live.put(LiveEndpoint("chat", deployment_id, NOW.isoformat(), config, table.read(deployment_id)["request"], {}))


def test_a_request_by_event_is_deployed_once_however_often_it_comes(deliver: Any, sample_event: Any) -> None:
    first, again = (deliver(sample_event("deployment-requested")) for _ in range(2))
    assert first == again
    assert len(first) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"detail": {}}, "model"),
        ({"detail": "text"}, "no detail"),
        ({"id": None}, "no id"),
        ({"detail-type": "Something Else"}, "Something Else"),
        ({"detail-type": "SageMaker Model Package State Change", "detail": {"a": 1}}, "ModelPackageArn"),
    ],
)
def test_what_cannot_be_followed_is_a_dead_letter_with_the_reason(
    deliver: Any, sample_event: Any, dead_letters: Any, change: dict[str, Any], reason: str
) -> None:
    event = {**sample_event("deployment-requested"), **change}
    assert deliver(event) == []
    [(letter, why)] = dead_letters.letters
    assert letter == event
    assert reason in why


def test_a_request_for_a_busy_endpoint_is_a_dead_letter_that_names_who_holds_it(
    deliver: Any, sample_event: Any, dead_letters: Any
) -> None:
    [holder] = deliver(sample_event("deployment-requested"))
    assert deliver(sample_event("deployment-requested", "e-2", instance_count=2)) == []
    assert holder in dead_letters.letters[0][1]


def approved(sample_event: Any, version: int, event_id: str, status: str = "Approved") -> dict[str, Any]:
    arn = f"{GROUP}/{version}"
    return dict(sample_event("model-package-approved", event_id, ModelPackageArn=arn, ModelApprovalStatus=status))


def test_an_approved_package_goes_to_every_endpoint_of_its_group(
    deliver: Any, sample_event: Any, running: Any, executions: Executions
) -> None:
    running(model={"model_package_arn": GROUP.replace("llama", "Llama") + "/1"})
    [deployment_id] = deliver(approved(sample_event, 2, "e-1"))
    assert deliver(approved(sample_event, 2, "e-1")) == [deployment_id]
    assert executions.started[deployment_id]["model"]["model_package_arn"] == f"{GROUP}/2"
    assert deliver(approved(sample_event, 9, "e-9", status="Rejected")) == []


def test_an_older_package_that_is_heard_of_later_changes_nothing(
    deliver: Any, sample_event: Any, running: Any, table: Any, live: Any
) -> None:
    running(model={"model_package_arn": f"{GROUP}/1"})
    [newest] = deliver(approved(sample_event, 3, "e-3"))
    assert deliver(approved(sample_event, 2, "e-2")) == []
    end(table, live, newest)
    assert deliver(approved(sample_event, 2, "e-2")) == []


def test_a_package_approved_while_the_endpoint_is_busy_waits_for_the_hourly_round(
    deliver: Any, sample_event: Any, running: Any, table: Any, live: Any, executions: Executions
) -> None:
    running(model={"model_package_arn": f"{GROUP}/1"})
    [second] = deliver(approved(sample_event, 2, "e-2"))
    assert deliver(approved(sample_event, 3, "e-3")) == []
    hourly = sample_event("hourly", "e-4")
    assert deliver(hourly) == [], "it is still busy"
    end(table, live, second)
    [third] = deliver(hourly)
    assert executions.started[third]["model"]["model_package_arn"] == f"{GROUP}/3"
    end(table, live, third)
    assert deliver(hourly) == []


def failed(sample_event: Any, event_id: str, **detail: Any) -> dict[str, Any]:
    known = {"EndpointName": "chat", "EndpointConfigName": "config-1", "LastModifiedTime": NOW.timestamp() * 1000}
    return dict(sample_event("endpoint-failed", event_id, **{**known, **detail}))


@pytest.mark.parametrize("status", ["FAILED", "Failed", "OUT_OF_SERVICE", "OutOfService", "UpdateRollbackFailed"])
def test_a_failed_endpoint_is_deployed_again_when_its_request_says_so(
    deliver: Any, sample_event: Any, running: Any, status: str
) -> None:
    running(redeploy={"after_failure": True})
    first, again = (deliver(failed(sample_event, "e-1", EndpointStatus=status)) for _ in range(2))
    assert first == again
    assert len(first) == 1


@pytest.mark.parametrize(
    "detail",
    [
        {"EndpointStatus": "IN_SERVICE"},
        {"EndpointName": "somebody-elses"},
        {"EndpointConfigName": "another"},
        {"LastModifiedTime": (NOW - timedelta(days=9)).timestamp() * 1000},
    ],
    ids=["healthy", "not ours", "another config", "older than the deployment"],
)
def test_a_failure_that_is_not_of_what_is_live_changes_nothing(
    deliver: Any, sample_event: Any, running: Any, detail: dict[str, Any]
) -> None:
    running(redeploy={"after_failure": True})
    assert deliver(failed(sample_event, "e-1", **detail)) == []


def test_nobody_asked_so_a_failed_endpoint_is_left_alone(deliver: Any, sample_event: Any, running: Any) -> None:
    running()
    assert deliver(failed(sample_event, "e-1")) == []


def test_a_second_failure_within_a_day_is_left_to_people(
    deliver: Any, sample_event: Any, running: Any, table: Any, live: Any
) -> None:
    running(redeploy={"after_failure": True})
    [first] = deliver(failed(sample_event, "e-1"))
    end(table, live, first)
    assert deliver(failed(sample_event, "e-2")) == []
    assert len(deliver(failed(sample_event, "e-3"), at=NOW + timedelta(days=1, minutes=1))) == 1


def test_a_weekly_redeploy_happens_once_a_week_and_only_for_another_plan(
    deliver: Any, sample_event: Any, running: Any, table: Any, live: Any
) -> None:
    running(redeploy={"every_days": 7})
    hourly = sample_event("hourly", "e-1")
    [first] = deliver(hourly)
    assert deliver(hourly, at=NOW + timedelta(hours=1)) == [], "its period has just begun again"
    end(table, live, first)
    same = live.get("chat")
    live.found["chat"] = LiveEndpoint(
        "chat", first, NOW.isoformat(), "config-1", same.request, table.read(first)["plan"]
    )
    assert deliver(hourly, at=NOW + timedelta(days=8)) == [], "the newest image makes the plan that runs"


@pytest.mark.parametrize("endpoint", [EndpointDescription("Deleted"), EndpointDescription("InService", "by-hand")])
def test_what_somebody_deleted_or_changed_by_hand_is_not_taken_back(
    deliver: Any, sample_event: Any, running: Any, hosting: Any, endpoint: EndpointDescription
) -> None:
    running(redeploy={"every_days": 7}, model={"model_package_arn": f"{GROUP}/1"})
    hosting.endpoint = endpoint
    assert deliver(sample_event("hourly", "e-1")) == []
    assert deliver(approved(sample_event, 2, "e-2")) == []
