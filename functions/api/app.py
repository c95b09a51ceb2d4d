"""The API: plan, deploy, look, list, stop; its own description, and the page."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from importlib import resources
from typing import Annotated, Any

import documentation
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestUnsupportedContentType, RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Query
from inservice.answers import Listed, Mistake, NotAccepted, Problem, Started
from inservice.contracts import Cause, DeploymentRequest, EndpointName, Outcome, Planning, Status
from inservice.deployments.closing import stop_deployment
from inservice.deployments.journal import Journal
from inservice.deployments.opening import open_deployment, plan_with_lookups
from inservice.deployments.outcome import Links
from inservice.errors import Conflict, InServiceError, NotFound, Refused, Unavailable, Unreadable
from payload import as_asked, as_rest

PORTS = ("lookup", "deployments", "executions", "clock", "region")
_LOOPBACK = ("127.0.0.1", "localhost")
_PAGE, _LONGEST_PAGE = 20, 100
# A request travels through Step Functions, whose states hold 256 KiB (its quotas), with the plan beside it.
_LONGEST_BODY = 128 * 1024
_PROBLEM = "application/problem+json"
_FILTERS = {"limit", "next", "endpoint_name", "status", "cause"}
# Pydantic says what is wrong with a parameter; this says what to send instead.
_FIXES = {
    "limit": f"Send a whole number from 1 to {_LONGEST_PAGE}.",
    "endpoint_name": "Send a whole name: letters, digits and hyphens between them, at most 63.",
    "idempotency-key": "Send 1 to 128 visible characters without a blank, such as a UUID.",
}
_JSON = content_types.APPLICATION_JSON
_AS_JSON = f"send a DeploymentRequest as {_JSON}"
# The page of documentation brings its scripts along; nothing else may be loaded, and no data is on it.
_CLOSED = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
app = APIGatewayRestResolver(enable_validation=True)

Wish = Annotated[DeploymentRequest, Body(description="What to deploy, and within which limits.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,128}$", description="The same key is the same deployment."
    ),
]


def handler(event: dict[str, Any], context: Any, **given: Any) -> dict[str, Any]:
    """Routes one request; a port that is not given comes from the environment."""
    origin = given["cors_origin"] if "cors_origin" in given else _wired("cors_origin")
    asked = as_rest(event)
    if asked["httpMethod"] == "OPTIONS":
        return {"statusCode": 204 if origin else 404, "multiValueHeaders": _cors(origin), "body": ""}
    app.append_context(**{name: given[name] if name in given else _wired(name) for name in (*PORTS, "links")})
    answer: dict[str, Any] = app.resolve(asked, context)
    answer["multiValueHeaders"] = {**answer["multiValueHeaders"], **_cors(origin)}
    return as_asked(answer, event)


def _cors(origin: str) -> dict[str, list[str]]:
    """Only what the stack's CorsOrigin asks for. Powertools' own setting is read at import, before there is a port."""
    if not origin:
        return {}
    return {
        "Access-Control-Allow-Origin": [origin],
        "Access-Control-Allow-Headers": [
            "Authorization,Content-Type,Idempotency-Key,X-Amz-Date,X-Amz-Security-Token,X-Api-Key"
        ],
        "Access-Control-Allow-Methods": ["GET,POST,DELETE"],
        "Access-Control-Max-Age": ["600"],
        "Vary": ["Origin"],
    }


@app.post(
    "/deployments",
    responses=documentation.answers(
        {202: ("It is under way.", Started), 422: ("It cannot work: every problem, with its fix.", NotAccepted)},
        400, 409, 413, 415, 502, 503,
    ),
)  # fmt: skip
def deploy(request: Wish, idempotency_key: Key = None) -> Response[Started]:
    """Starts a deployment: 202 with its id and plan; 422 with every problem; 409 while the endpoint is taken."""
    opened = open_deployment(
        _document(), key=idempotency_key, api_url=_base_url(), **{name: app.context[name] for name in PORTS}
    )
    if opened.deployment_id is None or opened.endpoint_name is None:
        return _refused_with(NotAccepted(findings=opened.planning.findings))
    started = Started(
        deployment_id=opened.deployment_id,
        endpoint_name=opened.endpoint_name,
        status_url=f"{_base_url()}/deployments/{opened.deployment_id}",
        plan=opened.planning.plan,
        findings=opened.planning.findings,
    )
    return _answer(202, started)


@app.post(
    "/plans",
    responses=documentation.answers(
        {200: ("It will work.", Planning), 422: ("It cannot work, and why.", Planning)}, 400, 413, 415, 502, 503
    ),
)
def plan(request: Wish) -> Response[Planning]:
    """Plans without deploying: 200 accepted, 422 refused, with the same body."""
    _, planning = plan_with_lookups(_document(), lookup=app.context["lookup"], region=app.context["region"])
    return _answer(200 if planning.accepted else 422, planning)


@app.get("/deployments", responses=documentation.answers({200: ("One page.", Listed)}, 400, 502, 503))
def deployments(
    limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE, description="So many at most.")] = _PAGE,
    next: Annotated[str | None, Query(description="The token that the page before ended with.")] = None,
    endpoint_name: Annotated[EndpointName | None, Query(description="Only of this endpoint.")] = None,
    status: Annotated[Status | None, Query(description="Only with this status.")] = None,
    cause: Annotated[Cause | None, Query(description="Only with this diagnosis.")] = None,
) -> Response[Listed]:
    """The deployments, newest first."""
    _refuse_other_parameters()
    asked = {"endpoint_name": endpoint_name, "status": status, "cause": cause}
    where = {name: value for name, value in asked.items() if value}
    found, token = app.context["deployments"].newest(limit=limit, token=next, where=where)
    journal = _journal()
    return _answer(200, Listed(deployments=tuple(journal.told(facts) for facts in found), next=token))


@app.get(
    "/deployments/<deployment_id>", responses=documentation.answers({200: ("As it stands.", Outcome)}, 404, 502, 503)
)
def deployment(deployment_id: str) -> Response[Outcome]:
    """One deployment as it stands."""
    return _answer(200, _journal().outcome(deployment_id))


@app.delete(
    "/deployments/<deployment_id>",
    responses=documentation.answers(
        {200: ("It had already ended.", Outcome), 202: ("It is being stopped.", Outcome)}, 404, 502, 503
    ),
)
def stop(deployment_id: str) -> Response[Outcome]:
    """Stops a deployment and cleans up after it: 202; 200 when it had already ended."""
    journal = _journal()
    running = stop_deployment(
        deployment_id, deployments=app.context["deployments"], executions=app.context["executions"],
        why="It was stopped by a caller of the API.",
    )  # fmt: skip
    return _answer(202 if running else 200, journal.outcome(deployment_id))


@app.get("/page", include_in_schema=False)
def page() -> Response[str]:
    """The page to watch a deployment on; it holds no data of its own."""
    return Response(status_code=200, content_type=content_types.TEXT_HTML, body=_page())


@app.get("/openapi.json", include_in_schema=False)
def openapi() -> Response[dict[str, Any]]:
    """The API's description, OpenAPI 3.1."""
    return Response(status_code=200, content_type=_JSON, body=documentation.document(app, _base_url()))


def _closed(app: Any, next_middleware: Any) -> Response[Any]:
    answer: Response[Any] = next_middleware(app)
    answer.headers.update(_CLOSED)
    return answer


app.enable_swagger(path="/docs", title="InService", version="1", middlewares=[_closed])


@app.exception_handler([RequestValidationError, RequestUnsupportedContentType])
def _invalid(problem: RequestValidationError) -> Response[Any]:
    """A body is answered with the planner's findings, which name every field at once; a parameter as a problem."""
    if any(error["loc"][0] == "body" for error in problem.errors()):
        try:
            document = _document()
        except _Unfit as unfit:
            return _unfit(unfit)
        _, planning = plan_with_lookups(document, lookup=app.context["lookup"], region=app.context["region"])
        whole = app.current_event.path.endswith("/plans")
        return _refused_with(planning if whole else NotAccepted(findings=planning.findings))
    mistakes = tuple(
        Mistake(field=".".join(str(part) for part in error["loc"][1:]), message=error["msg"], fix=_fix(error))
        for error in problem.errors()
    )
    said = "; ".join(f"{mistake.field}: {mistake.message}" for mistake in mistakes)
    return _problem(400, "unusable parameter", said, mistakes)


@app.exception_handler(NotFound)
def _not_found(problem: NotFound) -> Response[Any]:
    return _told(404, "not found", problem)


@app.exception_handler(Conflict)
def _conflict(problem: Conflict) -> Response[Any]:
    return _told(409, "conflict", problem)


@app.exception_handler(Unreadable)
def _unreadable(problem: Unreadable) -> Response[Any]:
    return _told(400, "unreadable", problem)


@app.exception_handler(Unavailable)
def _unavailable(problem: Unavailable) -> Response[Any]:
    return _problem(503, "unavailable", f"{problem}; try again in a minute")


@app.exception_handler(Refused)
def _refused(problem: Refused) -> Response[Any]:
    return _problem(502, "refused by AWS", str(problem))


@app.not_found
def _no_such_path(_: NotFoundError) -> Response[Any]:
    asked = f"{app.current_event.http_method} {app.current_event.path}"
    return _told(404, "not found", NotFound(f"there is no {asked}", fix="GET /docs shows what there is", field="path"))


class _Unfit(Exception):
    """A body that is not read: (status, title, what is wrong, what to send instead)."""


@app.exception_handler(_Unfit)
def _unfit(problem: _Unfit) -> Response[Any]:
    status, title, what, fix = problem.args
    return _told(status, title, Unreadable(what, fix=fix, field="body"))


@app.exception_handler([ValueError, RecursionError])
def _not_even_parsed(problem: Exception) -> Response[Any]:
    """Powertools reads bodies of other types too, and raises what their parsers raise."""
    try:
        _document()
    except _Unfit as unfit:
        return _unfit(unfit)
    raise problem


def _document() -> Any:
    """The body's JSON value."""
    kind = (_header("Content-Type") or _JSON).partition(";")[0].strip().lower()
    if kind != _JSON:
        raise _Unfit(415, "unsupported media type", f"the body is {kind}", _AS_JSON)
    if len(app.current_event.body or "") > _LONGEST_BODY:
        raise _Unfit(413, "too large", f"a request has at most {_LONGEST_BODY} bytes", "leave out what is not needed")
    try:
        return json.loads(app.current_event.decoded_body or "")
    except (ValueError, RecursionError) as problem:
        raise _Unfit(400, "unreadable", f"the body is not JSON ({problem})", _AS_JSON) from None


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


def _fix(error: Any) -> str:
    expected = (error.get("ctx") or {}).get("expected")
    otherwise = _FIXES.get(str(error["loc"][-1]), "See the parameter in /openapi.json, or leave it out.")
    return f"Use one of {expected}." if expected else otherwise


def _refuse_other_parameters() -> None:
    """A filter of another name would silently be none; a signature may travel in the query (X-Amz-…)."""
    asked = app.current_event.query_string_parameters or {}
    unknown = sorted(name for name in asked if name not in _FILTERS and not name.lower().startswith("x-amz-"))
    if unknown:
        fix = f"use {', '.join(sorted(_FILTERS))}"
        raise Unreadable(f"there is no parameter {', '.join(unknown)}", fix=fix, field=unknown[0])


def _told(status: int, title: str, problem: InServiceError) -> Response[Any]:
    """A fault of ours, with the field and its fix where the caller can mend it."""
    fix = problem.fix[:1].upper() + problem.fix[1:] + "."
    mistakes = (Mistake(field=problem.field, message=problem.what, fix=fix),) if problem.fix else ()
    return _problem(status, title, str(problem), mistakes)


def _problem(status: int, title: str, detail: str, mistakes: tuple[Mistake, ...] = ()) -> Response[Any]:
    """An error as problem details (RFC 9457)."""
    body = Problem(title=title, status=status, detail=detail, errors=mistakes).as_json()
    return Response(status_code=status, content_type=_PROBLEM, body=json.dumps(body))


def _refused_with(answer: Any) -> Response[Any]:
    return Response(status_code=422, content_type=_JSON, body=json.dumps(answer.as_json()))


def _answer(status: int, body: Any) -> Response[Any]:
    return Response(status_code=status, content_type=_JSON, body=body)


@functools.cache
def _page() -> str:
    return (resources.files("inservice") / "page.html").read_text(encoding="utf-8")


def _wired(name: str) -> Any:
    from inservice.adapters import wiring

    return wiring.port(name)
