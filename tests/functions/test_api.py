"""The API's door: what is refused and in which words, what is one deployment and what is another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.deployments.outcome import Links
from inservice.ports import Lookups

EVENTS = Path(__file__).parents[2] / "events"
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


@pytest.mark.parametrize(
    ("body", "status", "field"), [("{nope", 400, "body"), ("", 400, "body"), (json.dumps("x" * 140_000), 413, "body")]
)
def test_a_body_that_is_not_read_says_where_and_what_to_send(call: Any, body: str, status: int, field: str) -> None:
    answered, problem = call("POST", "/deployments", body)
    assert answered == status
    (mistake,) = problem["errors"]
    assert mistake["field"] == field
    assert mistake["fix"].endswith(".")
    assert mistake["message"] in problem["detail"]


def test_a_conflict_names_the_field_and_the_ways_out(call: Any) -> None:
    assert call("POST", "/deployments", QWEN, key="one")[0] == 202
    status, busy = call("POST", "/deployments", {**QWEN, "max_total_tokens": 2048})
    assert (status, busy["errors"][0]["field"]) == (409, "endpoint_name")
    assert "stop it first" in busy["errors"][0]["fix"]
    status, used = call("POST", "/deployments", {**QWEN, "max_total_tokens": 2048}, key="one")
    assert (status, used["errors"][0]["field"]) == (409, "request_id")


def test_what_does_not_exist_says_where_to_look(call: Any) -> None:
    for method, path in (("GET", "/deployments/d-0"), ("DELETE", "/deployments/d-0"), ("GET", "/deployment")):
        status, problem = call(method, path)
        assert status == 404
        assert problem["errors"][0]["fix"].startswith("GET /d")


@pytest.mark.parametrize(
    ("query", "field", "fix"),
    [({"limit": "0"}, "limit", "from 1 to 100"), ({"endpoint_name": "_"}, "endpoint_name", "hyphens between"),
     ({"status": "GONE"}, "status", "'DEPLOYED'"), ({"state": "DEPLOYED"}, "state", "status"),
     ({"next": "forged"}, "next", "Leave it out")],
)  # fmt: skip
def test_a_parameter_that_cannot_be_used_is_told_with_its_fix(
    app: Any, table: Any, query: dict[str, str], field: str, fix: str
) -> None:
    class Strict(type(table)):  # type: ignore[misc]
        """As the real table is with a token that is none of its own."""

        def newest(self, *, limit: int, token: str | None, where: dict[str, str]) -> Any:
            from inservice.adapters.table import _from_token

            return super().newest(limit=limit, token=str(_from_token(token)), where=where)

    event = json.loads((EVENTS / "gateway-list.json").read_text()) | {"queryStringParameters": query}
    event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    ports = {"lookup": None, "deployments": Strict(), "executions": None, "clock": Clock(), "region": "us-east-1",
             "cors_origin": "", "links": Links("us-east-1")}  # fmt: skip
    answer = app("api").handler(event, None, **ports)
    assert answer["statusCode"] == 400
    (mistake,) = json.loads(answer["body"])["errors"]
    assert mistake["field"] == field
    assert fix in mistake["fix"]


def test_a_signature_in_the_query_is_no_filter(app: Any, table: Any) -> None:
    event = json.loads((EVENTS / "gateway-list.json").read_text())
    event["queryStringParameters"] = {"X-Amz-Signature": "abc"}
    ports = {"lookup": None, "deployments": table, "executions": None, "clock": Clock(), "region": "us-east-1",
             "cors_origin": "", "links": Links("us-east-1")}  # fmt: skip
    assert app("api").handler(event, None, **ports)["statusCode"] == 200


def test_a_nested_field_is_told_with_its_own_example(call: Any) -> None:
    _, refused = call("POST", "/deployments", {**QWEN, "model": {"hub_id": "qwen"}})
    finding = next(one for one in refused["findings"] if one["field"] == "model.hub_id")
    assert "meta-llama/" in finding["fix"]
