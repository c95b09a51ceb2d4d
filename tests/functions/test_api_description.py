"""The API keeps its own word: every answer to thousands of calls is as its OpenAPI document says, and none is a 5xx."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from inservice.answers import Started
from inservice.clock import Clock
from inservice.contracts import Outcome
from inservice.deployments.outcome import Links
from inservice.planning import plan_document
from inservice.ports import Lookups
from schemathesis.generation import GenerationMode

HOST = {"Host": "abc.execute-api.us-east-1.amazonaws.com", "X-Forwarded-Proto": "https"}
_EXAMPLES = {GenerationMode.POSITIVE: 400, GenerationMode.NEGATIVE: 200}


class Executions:
    """Every execution runs."""

    def start(self, name: str, payload: dict[str, Any]) -> str:
        return name

    def stop(self, name: str, reason: str) -> None:
        pass

    def is_running(self, name: str) -> bool:
        return True


class Gateway:
    """API Gateway in front of the function, as a WSGI application: one proxy event for each request."""

    def __init__(self, module: Any, ports: dict[str, Any]) -> None:
        self._module, self._ports = module, ports

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace").removeprefix("/v1")
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        headers = {name[5:].replace("_", "-").title(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        if environ.get("CONTENT_TYPE"):
            headers["Content-Type"] = environ["CONTENT_TYPE"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        answer = self._module.handler(
            {
                "resource": "/{proxy+}", "path": path, "httpMethod": environ["REQUEST_METHOD"],
                "headers": headers | HOST, "multiValueHeaders": {k: [v] for k, v in (headers | HOST).items()},
                "queryStringParameters": dict(query) or None,
                "multiValueQueryStringParameters": {k: [v for n, v in query if n == k] for k, _ in query} or None,
                "body": body.decode("utf-8", "replace") or None, "isBase64Encoded": False, "pathParameters": None,
                "stageVariables": None, "requestContext": {"path": f"/v1{path}", "stage": "v1", "apiId": "abc"},
            },
            None, **self._ports,
        )  # fmt: skip
        kinds = [(name, value) for name, values in answer["multiValueHeaders"].items() for value in values]
        start_response(f"{answer['statusCode']} told", kinds)
        return [str(answer["body"] or "").encode()]


@pytest.fixture
def gateway(app: Any, table: Any) -> Gateway:
    ports = {"lookup": lambda request: Lookups(), "deployments": table, "executions": Executions(), "clock": Clock(),
             "region": "us-east-1", "cors_origin": "", "links": Links("us-east-1")}  # fmt: skip
    return Gateway(app("api"), ports)


@pytest.fixture
def described(gateway: Gateway) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", gateway)


OPERATIONS = ["POST /deployments", "POST /plans", "GET /deployments", "GET /deployments/{deployment_id}",
              "DELETE /deployments/{deployment_id}"]  # fmt: skip


def test_the_document_is_of_openapi_3_1_and_has_every_route(described: Any) -> None:
    assert described.raw_schema["openapi"].startswith("3.1")
    paths = described.raw_schema["paths"]
    assert sorted(f"{m.upper()} {path}" for path, methods in paths.items() for m in methods) == sorted(OPERATIONS)
    assert described.raw_schema["servers"] == [{"url": f"https://{HOST['Host']}/v1"}]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "mode"),
    [(operation, mode) for operation in OPERATIONS for mode in _EXAMPLES
     # Any text may be an id, so no id is against the document.
     if mode is GenerationMode.POSITIVE or "{" not in operation],
    ids=lambda value: getattr(value, "name", value),
)  # fmt: skip
def test_thousands_of_calls_are_answered_as_the_document_says(described: Any, operation: str, mode: Any) -> None:
    method, path = operation.split()
    # API Gateway asks who is calling; and a request of the right shape is still refused when it cannot work.
    names = ["ignored_auth", *(["positive_data_acceptance"] if method == "POST" else [])]
    excluded = [schemathesis.checks.CHECKS.get_one(name) for name in names]

    @settings(
        max_examples=_EXAMPLES[mode], derandomize=True, deadline=None, database=None,
        phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def keeps_its_word(case: Any) -> None:
        case.call_and_validate(excluded_checks=excluded)

    given(case=described[path][method].as_strategy(generation_mode=mode))(keeps_its_word)()


def test_the_examples_are_true(described: Any, app: Any) -> None:
    paths = described.raw_schema["paths"]
    request = paths["/deployments"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert plan_document(request).accepted
    started = paths["/deployments"]["post"]["responses"]["202"]["content"]["application/json"]["example"]
    assert Started.model_validate(started).plan == plan_document(request).plan
    outcome = paths["/deployments/{deployment_id}"]["get"]["responses"]["200"]["content"]["application/json"]["example"]
    assert Outcome.model_validate(outcome).deployment_id == started["deployment_id"]


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", "{}", 415),
        ("multipart/form-data", "x", 415),
        ("application/x-www-form-urlencoded", "a=b", 415),
        ("application/json", "[" * 100_000, 400),
        ("application/json", json.dumps({"environment": {"A": "x" * 200_000}}), 413),
    ],
)
def test_a_body_that_is_not_read_is_told_why(gateway: Gateway, kind: str, body: str, status: int) -> None:
    from werkzeug.test import Client

    answer = Client(gateway).post("/deployments", data=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["detail"]


@pytest.mark.parametrize(
    ("query", "field"), [("limit=abc", "limit"), ("limit=0", "limit"), ("status=FINE", "status"), ("cause=X", "cause")]
)
def test_a_parameter_that_cannot_be_used_is_named_with_its_fix(gateway: Gateway, query: str, field: str) -> None:
    from werkzeug.test import Client

    answer = Client(gateway).get(f"/deployments?{query}")
    assert answer.status_code == 400
    assert answer.json is not None
    [error] = answer.json["errors"]
    assert error["field"] == field
    assert error["fix"]


def test_the_documentation_page_loads_nothing_from_elsewhere(gateway: Gateway) -> None:
    from werkzeug.test import Client

    answer = Client(gateway).get("/docs")
    assert (answer.status_code, answer.mimetype) == (200, "text/html")
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
