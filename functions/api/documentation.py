"""What the API says of itself: answers by status, examples, and the OpenAPI document."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from inservice.answers import Problem
from inservice.contracts import Record

_WORDS = {
    400: "Not JSON, or a parameter that cannot be used.",
    404: "There is no such deployment.",
    409: "Another deployment of this endpoint is running, or the key was used for another request.",
    413: "The body is larger than a request can be.",
    415: "The body is not application/json.",
    502: "AWS refused a call, in its own words.",
    503: "A service did not answer; try again in a minute.",
}
_SECURITY = {
    "aws_iam": {
        "type": "apiKey", "in": "header", "name": "Authorization",
        "description": "AWS Signature Version 4 for `execute-api`.",
    },
    "jwt": {"type": "http", "scheme": "bearer", "description": "Where the stack has a JwtIssuer: a token of it."},
    "api_key": {
        "type": "apiKey", "in": "header", "name": "x-api-key",
        "description": "Where the stack has ApiKeys: a key of its usage plan.",
    },
}  # fmt: skip


def answers(of: dict[int, tuple[str, type[Record]]], *problems: int) -> dict[int, Any]:
    """A route's answers by status: its own, and the problems that it shares with others."""
    own = {status: _answer(said, model, "application/json") for status, (said, model) in of.items()}
    shared = {status: _answer(_WORDS[status], Problem, "application/problem+json") for status in problems}
    return own | shared


def _answer(said: str, model: type[Record], kind: str) -> dict[str, Any]:
    return {"description": said, "content": {kind: {"model": model}}}


@functools.cache
def examples() -> dict[str, Any]:
    """A request and answers to it, as they are in the document."""
    return dict(json.loads((Path(__file__).parent / "examples.json").read_text(encoding="utf-8")))


def document(app: Any, base_url: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the app's routes, for the address it was asked at."""
    made = json.loads(
        app.get_openapi_json_schema(
            title="InService", version="1",
            description="Gets a large language model to InService on SageMaker, or says why it cannot.",
        )
    )  # fmt: skip
    made["servers"] = [{"url": base_url}]
    made["components"]["securitySchemes"] = _SECURITY
    made["security"] = [{name: []} for name in _SECURITY]
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _with_examples(operation, examples().get(f"{method.upper()} {path}", {}))
    return made


def _with_examples(operation: dict[str, Any], said: dict[str, Any]) -> None:
    # Powertools adds its own 422 to every route (schema_generator.py); only those that read a body have one here.
    if "HTTPValidationError" in json.dumps(operation["responses"].get("422", {})):
        del operation["responses"]["422"]
    if "request" in said:
        operation["requestBody"]["content"]["application/json"]["example"] = said["request"]
    for status, body in said.get("answers", {}).items():
        [content] = operation["responses"][status]["content"].values()
        content["example"] = body
