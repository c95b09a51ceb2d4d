"""The API's door: what is refused and in which words, what is one deployment and what is another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.deployments.closing import stop_deployment
from inservice.deployments.outcome import Links
from inservice.ports import Lookups

QWEN = {"endpoint_name": "qwen", "model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge"}


class Executions:
    """What was started and stopped."""

    def __init__(self) -> None:
        self.started: list[str] = []
        self.stopped: list[str] = []

    def start(self, name: str, payload: dict[str, Any]) -> str:
        self.started.append(name)
        return name

    def stop(self, name: str, reason: str) -> None:
        self.stopped.append(name)

    def is_running(self, name: str) -> bool:
        return name in self.started


@pytest.fixture
def executions() -> Executions:
    return Executions()


@pytest.fixture
def call(app: Any, table: Any, executions: Executions) -> Any:
    module = app("api")
    ports = {"lookup": lambda request: Lookups(), "deployments": table, "executions": executions, "clock": Clock(),
             "region": "us-east-1", "cors_origin": "", "links": Links("us-east-1")}  # fmt: skip

    def send(method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        headers = {"Host": "abc.execute-api.us-east-1.amazonaws.com", "X-Forwarded-Proto": "https"}
        headers |= {"Idempotency-Key": key} if key else {}
        text = body if isinstance(body, str) or body is None else json.dumps(body)
        event = {
            "resource": "/{proxy+}", "path": path, "httpMethod": method, "headers": headers, "multiValueHeaders": {},
            "queryStringParameters": None, "multiValueQueryStringParameters": None, "body": text,
            "isBase64Encoded": False, "pathParameters": None, "stageVariables": None,
            "requestContext": {"path": f"/v1{path}", "stage": "v1", "apiId": "abc", "httpMethod": method},
        }  # fmt: skip
        answer = module.handler(event, None, **ports)
        kind = answer["multiValueHeaders"]["Content-Type"][0]
        return answer["statusCode"], json.loads(answer["body"]) if "json" in kind else answer["body"]

    return send


def test_a_good_request_is_started_and_told_where_to_look(call: Any, executions: Executions) -> None:
    status, answer = call("POST", "/deployments", QWEN)
    assert status == 202
    where = f"https://abc.execute-api.us-east-1.amazonaws.com/v1/deployments/{answer['deployment_id']}"
    assert answer["status_url"] == where
    assert executions.started == [answer["deployment_id"]]
    status, seen = call("GET", f"/deployments/{answer['deployment_id']}")
    assert (status, seen["status"], seen["links"]["deployment"]) == (200, "IN_PROGRESS", where)


def test_the_same_key_is_the_same_deployment_and_another_request_under_it_a_conflict(call: Any) -> None:
    first, second = (call("POST", "/deployments", QWEN, key="k-1")[1]["deployment_id"] for _ in range(2))
    assert first == second
    assert call("POST", "/deployments", {**QWEN, "instance_count": 2}, key="k-1")[0] == 409


def test_another_request_for_a_busy_endpoint_names_the_deployment_that_holds_it(call: Any) -> None:
    holder = call("POST", "/deployments", QWEN)[1]["deployment_id"]
    status, problem = call("POST", "/deployments", {**QWEN, "instance_count": 2})
    assert status == 409
    assert holder in problem["detail"]


def test_after_a_deployment_has_ended_the_same_request_is_a_new_one(call: Any, table: Any) -> None:
    first = call("POST", "/deployments", QWEN)[1]["deployment_id"]
    table.note(first, {"status": "DEPLOYED"}, {})
    table.unlock("qwen", first)
    assert call("POST", "/deployments", QWEN)[1]["deployment_id"] != first


def test_an_owner_that_ended_without_unlocking_does_not_hold_the_endpoint(call: Any, table: Any) -> None:
    first = call("POST", "/deployments", QWEN)[1]["deployment_id"]
    table.note(first, {"status": "NOT_DEPLOYED"}, {})
    assert call("POST", "/deployments", {**QWEN, "instance_count": 2})[0] == 202


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/deployments", "{nope", 400),
        ("POST", "/deployments", None, 400),
        ("POST", "/deployments", [1], 422),
        ("POST", "/deployments", {"colour": 1}, 422),
        ("POST", "/plans", "", 400),
        ("GET", "/deployments/d-unknown", None, 404),
        ("DELETE", "/deployments/d-unknown", None, 404),
        ("GET", "/nothing", None, 404),
    ],
)
def test_what_cannot_be_used_starts_nothing(
    call: Any, executions: Executions, method: str, path: str, body: Any, status: int
) -> None:
    code, answer = call(method, path, body)
    assert code == status
    assert answer.get("detail") or answer.get("findings")
    assert executions.started == []


def test_a_plan_is_answered_without_starting_anything(call: Any, executions: Executions) -> None:
    status, answer = call("POST", "/plans", QWEN)
    assert (status, answer["accepted"]) == (200, True)
    assert executions.started == []


def test_stopping_stops_the_execution_and_starts_the_closing_one_once(call: Any, executions: Executions) -> None:
    found = call("POST", "/deployments", QWEN)[1]["deployment_id"]
    assert call("DELETE", f"/deployments/{found}")[0] == 202
    assert executions.stopped == [found]
    assert executions.started == [found, f"{found}-close"]


def test_whoever_closes_first_tells_why_it_was_stopped(call: Any, app: Any, table: Any) -> None:
    found = call("POST", "/deployments", QWEN)[1]["deployment_id"]
    told: list[dict[str, Any]] = []

    class Racing(Executions):
        """The engine's event about the stop is followed before the API has started the closing execution."""

        def stop(self, name: str, reason: str) -> None:
            event = {"detail": {"name": name, "status": "ABORTED"}}
            app("safety_net").handler(event, None, deployments=table, executions=self)

        def start(self, name: str, payload: dict[str, Any]) -> str:
            told.append(payload)
            return name

    stop_deployment(found, deployments=table, executions=Racing(), why="It was stopped by a caller.")
    assert {payload["diagnosis"]["summary"] for payload in told} == {"It was stopped by a caller."}
