"""The API's doors on the deployed stack: who is let in by which, and what anybody may read."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]

PLAN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge"}
ORIGIN = "https://ops.example.com"


def ask(url: str, method: str = "GET", body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    data = None if body is None else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(
        url, data=data, method=method, headers={"Content-Type": "application/json", **named}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as problem:
        return problem.code, dict(problem.headers), problem.read()


def output(caller: Any, name: str) -> str:
    stacks = caller.stack.client("cloudformation").describe_stacks(StackName="inservice")["Stacks"]
    return str(next(one["OutputValue"] for one in stacks[0]["Outputs"] if one["OutputKey"] == name))


def test_anybody_may_read_what_holds_no_data(caller: Any) -> None:
    status, _, body = ask(f"{caller.stack.api_url}/openapi.json")
    assert (status, json.loads(body)["openapi"][:3]) == (200, "3.1")
    assert ask(f"{caller.stack.api_url}/docs")[0] == 200
    assert ask(f"{caller.stack.api_url}/page")[0] == 200
    assert ask(f"{caller.stack.api_url}/deployments")[0] == 403


def test_a_page_of_the_one_origin_may_call_and_read_the_answer(caller: Any) -> None:
    status, headers, _ = ask(f"{caller.stack.api_url}/deployments", "OPTIONS", Origin=ORIGIN)
    assert (status, headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert "Authorization" in headers["Access-Control-Allow-Headers"]
    assert ask(f"{caller.stack.api_url}/openapi.json")[1]["Access-Control-Allow-Origin"] == ORIGIN


def test_a_token_of_the_issuer_opens_the_second_door(caller: Any, issuer: Any) -> None:
    name = output(caller, "JwtApiUrl").removeprefix("https://").partition(".")[0]
    host = f"{name}.execute-api.127.0.0.1"

    def plan(token: str) -> Any:
        bearer = f"Bearer {token}"
        status, _, body = ask(f"{caller.stack.aws_endpoint_url}/plans", "POST", PLAN, Host=host, Authorization=bearer)
        return status if status != 404 else body

    assert plan(issuer.token()) == 200
    assert plan(issuer.token(aud="somebody-else")) == 401
    assert plan(issuer.token(iss="https://elsewhere.example.com")) == 401
    assert plan(issuer.token(exp=1)) == 401
    assert plan(issuer.token() + "x") == 401
    assert ask(f"{caller.stack.aws_endpoint_url}/plans", "POST", PLAN, Host=host)[0] == 401


def test_a_key_of_the_usage_plan_opens_the_third_door(caller: Any) -> None:
    gateway = caller.stack.client("apigateway")
    key = gateway.get_api_key(apiKey=output(caller, "ApiKeyId"), includeValue=True)["value"]
    api_id = output(caller, "KeyApiUrl").removeprefix("https://").partition(".")[0]
    url = f"{caller.stack.aws_endpoint_url}/restapis/{api_id}/v1/_user_request_/plans"
    assert ask(url, "POST", PLAN, x_api_key=key)[0] == 200
    assert ask(url, "POST", PLAN, x_api_key="guessed")[0] == 403
    assert ask(url, "POST", PLAN)[0] == 403
