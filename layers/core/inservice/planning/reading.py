"""From any JSON value to a DeploymentRequest, with a finding for every mistake in it."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from inservice.contracts import DeploymentRequest, Finding


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
    top = path[0] if path else ""
    known = DeploymentRequest.model_fields.get(top)
    if mistake["type"] == "extra_forbidden":
        names = ", ".join(sorted(DeploymentRequest.model_fields)) if len(path) == 1 else "see the request's description"
        return _finding(field, "this field does not exist", f"Remove it, or use one of: {names}.")
    if mistake["type"] == "missing":
        return _finding(field, "this field is needed", (known.description if known else None) or "Add it.")
    message = str(mistake["msg"]).removeprefix("Value error, ")
    return _finding(field, message, (known.description if known else None) or "Correct the value.")


def _finding(field: str, message: str, fix: str) -> Finding:
    return Finding(severity="error", code="INVALID_FIELD", field=field, message=message, fix=fix)
