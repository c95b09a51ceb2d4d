"""What an attempt changed against the request, and what was tried before."""

from __future__ import annotations

from typing import Any

from inservice.contracts import DeploymentRequest
from inservice.ports import Deployments


def changes_of(asked: DeploymentRequest, tried: DeploymentRequest) -> dict[str, Any]:
    """The fields in which an attempt differs from what was asked for, with the attempt's values."""
    before, after = asked.as_json(), tried.as_json()
    return {field: after[field] for field in after if after[field] != before[field]}


def tried_before(deployment_id: str, attempt: int, *, deployments: Deployments) -> tuple[dict[str, Any], ...]:
    """The remedies of the attempts before this one, as changes; each may be applied once."""
    facts = deployments.read(deployment_id) or {}
    diagnoses = [facts.get(f"attempt.{number}.diagnosis") or {} for number in range(1, attempt)]
    return tuple((found.get("remedy") or {}).get("changes") or {} for found in diagnoses)
