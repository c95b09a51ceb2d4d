"""Opening a deployment: plan, lock the endpoint, write the record, start the execution; the same wish twice is one."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from inservice.clock import Clock
from inservice.contracts import RUNNING, DeploymentRequest, Planning
from inservice.errors import Conflict
from inservice.planning import plan_document, read_request
from inservice.planning.asking import Lookup
from inservice.planning.names import endpoint_name_for
from inservice.ports import Deployments, Executions

# Longer than the state machine's own timeout (16 h): a lock outlives its execution only if nobody closed it.
LOCK_SECONDS = 17 * 3600


@dataclass(frozen=True)
class Opened:
    """What came of a wish: the deployment's id, or None with the findings that refuse it."""

    deployment_id: str | None
    endpoint_name: str | None
    planning: Planning


def open_deployment(
    document: Any,
    *,
    key: str | None,
    lookup: Lookup,
    deployments: Deployments,
    executions: Executions,
    clock: Clock,
    region: str,
    api_url: str = "",
) -> Opened:
    """Starts one deployment of `document`, or none; raises Conflict while another one holds the endpoint.

    `key` is the caller's word for "the same": an Idempotency-Key or an event id. Without it (and without
    `request_id`) the same request is the same deployment for as long as that deployment runs.
    """
    request, planning = plan_with_lookups(document, lookup=lookup, region=region)
    if request is None or not planning.accepted:
        return Opened(None, None, planning)
    name = endpoint_name_for(request)
    named = request.model_copy(update={"endpoint_name": name})
    request_hash = _hash(named.model_copy(update={"request_id": None}).as_json())
    now = clock.now()
    chosen = request.request_id or key
    deployment_id = f"d-{_hash([name, chosen] if chosen else [request_hash, now.isoformat()])}"
    known = deployments.read(deployment_id) if chosen else None
    if known:
        return _same(deployment_id, known, request_hash, name, planning, executions)
    holder = _lock(name, deployment_id, request_hash, now.timestamp(), deployments, chosen is not None)
    if not deployments.create(holder, _facts(named, request_hash, planning, now.isoformat(), api_url)):
        known = deployments.read(holder)
        if known and known["status"] not in RUNNING:
            return Opened(holder, name, planning)
    executions.start(holder, {"deployment_id": holder, "request": named.as_json()})
    return Opened(holder, name, planning)


def plan_with_lookups(document: Any, *, lookup: Lookup, region: str) -> tuple[DeploymentRequest | None, Planning]:
    """The plan with what only a call can tell, as far as the calls answer."""
    request, _ = read_request(document)
    return request, plan_document(document, lookups=lookup(request) if request else None, region=region)


def _same(
    deployment_id: str, known: dict[str, Any], request_hash: str, name: str, planning: Planning, executions: Executions
) -> Opened:
    if known["request_hash"] != request_hash:
        raise Conflict(
            f"this request id was already used for another request: deployment {deployment_id}",
            fix="take a new id for a new request, or send the same request again", field="request_id",
        )  # fmt: skip
    if known["status"] in RUNNING:
        # The record may have been written by a caller that died before it started the execution.
        executions.start(deployment_id, {"deployment_id": deployment_id, "request": known["request"]})
    return Opened(deployment_id, name, planning)


def _lock(name: str, deployment_id: str, request_hash: str, now: float, deployments: Deployments, chosen: bool) -> str:
    """The id that holds the endpoint for this request; an older holder's own id when it asks the same thing."""
    lock = deployments.lock(name, deployment_id, request_hash, now=now, expires_at=now + LOCK_SECONDS)
    if lock.mine:
        return deployment_id
    if lock.request_hash == request_hash and not chosen:
        return lock.owner
    held = deployments.read(lock.owner)
    if held and held["status"] not in RUNNING:
        taken = deployments.lock(
            name, deployment_id, request_hash, now=now, expires_at=now + LOCK_SECONDS, instead_of=lock.owner
        )
        if taken.mine:
            return deployment_id
    raise Conflict(
        f"deployment {lock.owner} of endpoint {name} is still running",
        fix="wait for it, stop it first, or take another endpoint_name", field="endpoint_name",
    )  # fmt: skip


def _facts(request: DeploymentRequest, request_hash: str, planning: Planning, now: str, api_url: str) -> dict[str, Any]:
    return {
        "endpoint_name": request.endpoint_name,
        "status": "IN_PROGRESS",
        "phase": "queued",
        "progress": None,
        "request": request.as_json(),
        "request_hash": request_hash,
        "api_url": api_url,
        "plan": planning.plan.as_json() if planning.plan else None,
        "findings": [finding.as_json() for finding in planning.findings],
        "model_package_arn": request.model.model_package_arn,
        "created_at": now,
        "updated_at": now,
    }


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2s(text.encode(), digest_size=10).hexdigest()
