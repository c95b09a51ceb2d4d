"""The API: plan, deploy, look, list, stop; and the page."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from importlib import resources
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from inservice.deployments.closing import stop_deployment
from inservice.deployments.journal import Journal
from inservice.deployments.opening import open_deployment, plan_with_lookups
from inservice.deployments.outcome import Links
from inservice.errors import Conflict, NotFound, Refused, Unavailable, Unreadable

PORTS = ("lookup", "deployments", "executions", "clock", "region")
_LOOPBACK = ("127.0.0.1", "localhost")
app = APIGatewayRestResolver()
# The default page of a list, and the longest one.
_PAGE, _LONGEST_PAGE = 20, 100


def handler(event: dict[str, Any], context: Any, **given: Any) -> dict[str, Any]:
    """Routes one request; a port that is not given comes from the environment."""
    app.append_context(**{name: given[name] if name in given else _wired(name) for name in (*PORTS, "links")})
    answer: dict[str, Any] = app.resolve(event, context)
    return answer


@app.post("/deployments")
def deploy() -> Response[str]:
    """Starts a deployment: 202 with its id and plan; 422 with every problem; 409 while the endpoint is taken."""
    opened = open_deployment(
        _document(), key=_header("Idempotency-Key"), api_url=_base_url(), **{name: app.context[name] for name in PORTS}
    )
    findings = [finding.as_json() for finding in opened.planning.findings]
    if opened.deployment_id is None:
        return _answer(422, {"findings": findings})
    plan = opened.planning.plan
    return _answer(
        202,
        {
            "deployment_id": opened.deployment_id,
            "endpoint_name": opened.endpoint_name,
            "status_url": f"{_base_url()}/deployments/{opened.deployment_id}",
            "plan": plan.as_json() if plan else None,
            "findings": findings,
        },
    )


@app.post("/plans")
def plan() -> Response[str]:
    """Plans without deploying: 200 accepted, 422 refused, with the same body."""
    _, planning = plan_with_lookups(_document(), lookup=app.context["lookup"], region=app.context["region"])
    return _answer(200 if planning.accepted else 422, planning.as_json())


@app.get("/deployments")
def deployments() -> Response[str]:
    """The deployments, newest first; `limit`, `next`, and the filters `endpoint_name`, `status`, `cause`."""
    asked = app.current_event.query_string_parameters or {}
    limit = int(asked["limit"]) if asked.get("limit", "").isdigit() else _PAGE
    where = {name: asked[name] for name in ("endpoint_name", "status", "cause") if asked.get(name)}
    found, token = app.context["deployments"].newest(
        limit=max(1, min(limit, _LONGEST_PAGE)), token=asked.get("next"), where=where
    )
    journal = _journal()
    return _answer(200, {"deployments": [journal.told(facts).as_json() for facts in found], "next": token})


@app.get("/deployments/<deployment_id>")
def deployment(deployment_id: str) -> Response[str]:
    """One deployment as it stands."""
    return _answer(200, _journal().outcome(deployment_id).as_json())


@app.delete("/deployments/<deployment_id>")
def stop(deployment_id: str) -> Response[str]:
    """Stops a deployment and cleans up after it: 202; 200 when it had already ended."""
    journal = _journal()
    running = stop_deployment(
        deployment_id, deployments=app.context["deployments"], executions=app.context["executions"],
        why="It was stopped by a caller of the API.",
    )  # fmt: skip
    return _answer(202 if running else 200, journal.outcome(deployment_id).as_json())


@app.get("/page")
def page() -> Response[str]:
    """The page to watch a deployment on; it holds no data of its own."""
    return Response(status_code=200, content_type=content_types.TEXT_HTML, body=_page())


@app.exception_handler(NotFound)
def _not_found(problem: NotFound) -> Response[str]:
    return _problem(404, "not found", str(problem))


@app.exception_handler(Conflict)
def _conflict(problem: Conflict) -> Response[str]:
    return _problem(409, "conflict", str(problem))


@app.exception_handler(Unreadable)
def _unreadable(problem: Unreadable) -> Response[str]:
    return _problem(400, "unreadable", str(problem))


@app.exception_handler(Unavailable)
def _unavailable(problem: Unavailable) -> Response[str]:
    return _problem(503, "unavailable", f"{problem}; try again in a minute")


@app.exception_handler(Refused)
def _refused(problem: Refused) -> Response[str]:
    return _problem(502, "refused by AWS", str(problem))


@app.not_found
def _no_such_path(_: NotFoundError) -> Response[str]:
    return _problem(404, "not found", f"there is no {app.current_event.http_method} {app.current_event.path}")


def _document() -> Any:
    body = app.current_event.decoded_body or ""
    try:
        return json.loads(body)
    except ValueError as problem:
        raise Unreadable(f"the body is not JSON ({problem}); send a DeploymentRequest as application/json") from None


def _journal() -> Journal:
    links: Links = app.context["links"]
    return Journal(app.context["deployments"], app.context["clock"], replace(links, api_url=_base_url()))


def _base_url() -> str:
    """The address this request came to, stage included."""
    request = app.current_event.raw_event.get("requestContext") or {}
    host = _header("Host") or request.get("domainName") or "localhost"
    scheme = _header("X-Forwarded-Proto") or "https"
    if host.split(":")[0] in _LOOPBACK:
        # Emulators serve every API on one loopback port, under the path that LocalStack introduced.
        return f"http://{host}/restapis/{request.get('apiId')}/{request.get('stage')}/_user_request_"
    path = str(request.get("path") or "")
    before = path[: -len(app.current_event.path)] if path.endswith(app.current_event.path) else ""
    return f"{scheme}://{host}{before}"


def _header(name: str) -> str | None:
    headers = app.current_event.raw_event.get("headers") or {}
    return next((value for key, value in headers.items() if key.lower() == name.lower()), None)


def _problem(status: int, title: str, detail: str) -> Response[str]:
    """An error as problem details (RFC 9457)."""
    body = json.dumps({"title": title, "status": status, "detail": detail})
    return Response(status_code=status, content_type="application/problem+json", body=body)


def _answer(status: int, body: dict[str, Any]) -> Response[str]:
    return Response(status_code=status, content_type=content_types.APPLICATION_JSON, body=json.dumps(body))


@functools.cache
def _page() -> str:
    return (resources.files("inservice") / "page.html").read_text(encoding="utf-8")


def _wired(name: str) -> Any:
    from inservice.adapters import wiring

    return wiring.port(name)
