"""Takes the samples events/state-*.json and events/gateway-*.json: what each Lambda is called with.

The states' come from the history of two executions on a running stack, one that succeeds and one whose log proves
early that it cannot; account, ids and times are made neutral. The gateway's come from `sam local generate-event`.

TIME_SCALE=60 make up        # in another terminal
.venv/bin/python -m scripts.take_samples
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from embedded.stack import Stack
from scripts.take_pictures import deployed_as

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / "events"
ACCOUNT, DEPLOYMENT_ID = "123456789012", "d-0123456789abcdef0123"
BEGIN = datetime.fromisoformat("2026-11-24T12:00:00+00:00")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")
_MILLISECONDS = 1_000_000_000_000
# Which look at the endpoint tells most: the last one before the server is ready knows window, phase and log.
_TELLING = {"Poll": -2}


def main() -> None:
    """Deploys both requests, and writes a sample for every state that either went through."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", type=Path, default=ROOT / ".embedded" / "stack.json")
    parser.add_argument("--into", type=Path, default=EVENTS)
    given = parser.parse_args()
    if not given.stack.exists():
        parser.error(f"{given.stack} is not there: start a stack with `make up` first")
    stack = json.loads(given.stack.read_text())
    request = json.loads((EVENTS / "api-llama3-8b.json").read_text())
    lost = {**request, "endpoint_name": "llama-3-8b-no-token", "hf_token_secret": None, "force": True}
    samples = {**_of(stack, request, ""), **_of(stack, lost, "-not-deployed"), **gateway(request)}
    for name, sample in samples.items():
        (given.into / f"{name}.json").write_text(json.dumps(sample, indent=2, ensure_ascii=False) + "\n")
        print(name)


def _of(stack: dict[str, Any], request: dict[str, Any], suffix: str) -> dict[str, Any]:
    """The samples of one deployment; only the outcome and the states of failure differ between the two."""
    status, deployment_id = deployed_as(stack, request)
    print(f"{request['endpoint_name']}: {status}", file=sys.stderr)
    asked = parameters(stack, deployment_id)
    wanted = {"Announce", "Diagnose", "CleanUp", "Publish"} if suffix else set(asked)
    telling = {state: calls[_TELLING.get(state, -1)] for state, calls in asked.items() if state in wanted}
    return {
        f"state-{_snake(state)}{suffix if state == 'Publish' else ''}": neutral(sample, deployment_id)
        for state, sample in telling.items()
    }


def parameters(stack: dict[str, Any], deployment_id: str) -> dict[str, list[Any]]:
    """What each state's function was called with, by the execution's history."""
    found: dict[str, list[Any]] = {}
    for state, called in Stack(**stack).calls(deployment_id):
        found.setdefault(state, []).append(called["Payload"])
    return found


def neutral(sample: Any, deployment_id: str) -> Any:
    """The sample as it would be in the documentation's account, begun at noon."""
    text = json.dumps(sample, ensure_ascii=False)
    began = min((datetime.fromisoformat(found) for found in _TIME.findall(text)), default=BEGIN)
    # To the second, so that log lines keep their fractions.
    later = timedelta(seconds=round((BEGIN - began).total_seconds()))
    text = text.replace(deployment_id, DEPLOYMENT_ID).replace(":000000000000:", f":{ACCOUNT}:")
    text = _TIME.sub(lambda found: _moved(found[0], later), text)
    return _shifted(json.loads(text), round(later.total_seconds() * 1000))


def _moved(text: str, later: timedelta) -> str:
    moved = (datetime.fromisoformat(text) + later).isoformat(timespec="microseconds" if "." in text else "seconds")
    return moved.replace("+00:00", "Z") if text.endswith("Z") else moved


def _shifted(value: Any, milliseconds: int) -> Any:
    """CloudWatch's times are numbers, and so are its cursors; its event ids are made plain."""
    if isinstance(value, dict):
        plain = {key: _shifted(item, milliseconds) for key, item in value.items()}
        if "seen_event_ids" in plain:
            plain["seen_event_ids"] = [f"event-{number}" for number, _ in enumerate(plain["seen_event_ids"], 1)]
        return plain
    if isinstance(value, list):
        return [_shifted(item, milliseconds) for item in value]
    return value + milliseconds if isinstance(value, int) and value > _MILLISECONDS else value


def gateway(request: dict[str, Any]) -> dict[str, Any]:
    """API Gateway's events for functions/api: REST API (format 1.0), and HTTP API for the door of tokens (2.0)."""
    body = json.dumps(request)
    return {
        "gateway-deploy": _generated("aws-proxy", "POST", "deployments", body),
        "gateway-list": _generated("aws-proxy", "GET", "deployments", ""),
        "gateway-status": _generated("aws-proxy", "GET", f"deployments/{DEPLOYMENT_ID}", ""),
        "gateway-stop": _generated("aws-proxy", "DELETE", f"deployments/{DEPLOYMENT_ID}", ""),
        "gateway-token-plan": _generated("http-api-proxy", "POST", "plans", body),
    }


def _generated(kind: str, method: str, path: str, body: str) -> dict[str, Any]:
    sam = [str(Path(sys.executable).with_name("sam")), "local", "generate-event", "apigateway", kind]
    asked = [*sam, "--method", method, "--path", path, "--body", body, "--stage", "v1"]
    event: dict[str, Any] = json.loads(subprocess.run(asked, capture_output=True, check=True, text=True).stdout)
    return _http(event, path, body) if event.get("version") == "2.0" else _rest(event, path, body)


def _rest(event: dict[str, Any], path: str, body: str) -> dict[str, Any]:
    """SAM's sample as our stage sends it: a body of text, no foreign query, only the headers that matter."""
    headers = {"Content-Type": "application/json", "Host": event["headers"]["Host"], "X-Forwarded-Proto": "https"}
    return event | {
        "body": body or None, "isBase64Encoded": False, "headers": headers, "stageVariables": None,
        "multiValueHeaders": {name: [value] for name, value in headers.items()}, "queryStringParameters": None,
        "multiValueQueryStringParameters": None, "pathParameters": {"proxy": path},
        "requestContext": event["requestContext"] | {"path": f"/v1/{path}", "stage": "v1"},
    }  # fmt: skip


def _http(event: dict[str, Any], path: str, body: str) -> dict[str, Any]:
    asked, host = event["requestContext"], f"{event['requestContext']['apiId']}.execute-api.us-east-1.amazonaws.com"
    return event | {
        "body": body, "isBase64Encoded": False, "rawPath": f"/{path}", "rawQueryString": "", "cookies": [],
        "headers": {"content-type": "application/json", "host": host, "x-forwarded-proto": "https"},
        "queryStringParameters": {}, "pathParameters": {"proxy": path}, "stageVariables": {},
        "routeKey": "POST /{proxy+}",
        "requestContext": asked | {
            "stage": "$default", "http": asked["http"] | {"method": "POST", "path": f"/{path}"},
        },
    }  # fmt: skip


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


if __name__ == "__main__":
    main()
