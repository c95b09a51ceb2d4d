"""Diagnosing one case after another, as JSON: for scoring, and for people with many logs."""

from __future__ import annotations

import json
from typing import Any

from inservice.diagnosis.diagnose import diagnose
from inservice.diagnosis.facts import Facts


def answer(case: Any) -> dict[str, Any]:
    """The diagnosis of one case as plain JSON values; `error` when the case cannot be used."""
    if not isinstance(case, dict):
        return {"id": None, "error": f"a case is a JSON object, not {type(case).__name__}"}
    identity = case.get("id")
    for field in ("failure_reason", "log"):
        if not isinstance(case.get(field), (str, type(None))):
            return {"id": identity, "error": f"{field} must be a string or null"}
    facts = Facts.of(case.get("config"))
    found = diagnose(failure_reason=case.get("failure_reason"), log=case.get("log"), facts=facts)
    return {"id": identity, **found.as_json()}


def answer_line(line: str) -> dict[str, Any]:
    """The answer to one line of a .jsonl file; a line that cannot be read is answered with `error`."""
    try:
        case = json.loads(line)
    except (ValueError, RecursionError) as unreadable:
        return {"id": None, "error": f"not JSON: {unreadable}"[:300]}
    return answer(case)
