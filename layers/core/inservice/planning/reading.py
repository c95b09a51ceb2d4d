"""From any JSON value to a DeploymentRequest, with a finding for every mistake in it."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from inservice.contracts import DeploymentRequest, Finding, Record


def read_request(document: Any) -> tuple[DeploymentRequest | None, tuple[Finding, ...]]:
    """The request, and what is wrong with it; fields that cannot be read are left out so that the rest is checked."""
    if not isinstance(document, dict):
        return None, (_finding("request", f"a request is a JSON object, not {type(document).__name__}", "Send {…}."),)
    try:
        return DeploymentRequest.model_validate(document), ()
    except ValidationError as problem:
        mistakes = problem.errors(include_url=False, include_context=False, include_input=False)
    findings = tuple(_told(mistake) for mistake in mistakes)
    bad = {str(mistake["loc"][0]) for mistake in mistakes if mistake["loc"]}
    try:
        return DeploymentRequest.model_validate({k: v for k, v in document.items() if k not in bad}), findings
    except ValidationError:
        return None, findings


def _told(mistake: Any) -> Finding:
    path = [
        str(part) for part in mistake["loc"] if not str(part).startswith(("literal[", "constrained-str", "function-"))
    ]
    field = ".".join(path) or "request"
    known = _described(path)
    if mistake["type"] == "extra_forbidden":
        names = ", ".join(sorted(DeploymentRequest.model_fields)) if len(path) == 1 else "see the request's description"
        return _finding(field, "this field does not exist", f"Remove it, or use one of: {names}.")
    if mistake["type"] == "missing":
        return _finding(field, "this field is needed", known or "Add it.")
    message = str(mistake["msg"]).removeprefix("Value error, ").replace("String should match pattern", "it must match")
    return _finding(field, message, known or "Correct the value.")


def _described(path: list[str]) -> str | None:
    """What the innermost field on the path that has a description is."""
    found: str | None = None
    model: type[BaseModel] = DeploymentRequest
    for name in path:
        field = model.model_fields.get(name)
        if field is None:
            break
        found = field.description or found
        inner = (field.annotation, *get_args(field.annotation))
        model = next((kind for kind in inner if isinstance(kind, type) and issubclass(kind, BaseModel)), Record)
    return found


def _finding(field: str, message: str, fix: str) -> Finding:
    return Finding(severity="error", code="INVALID_FIELD", field=field, message=message, fix=fix)
