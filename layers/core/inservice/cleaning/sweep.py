"""Sweep: finds what deployments left behind, and endpoints whose lease has ended; reports first, removes when told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from inservice.contracts import RUNNING, Record
from inservice.errors import Refused
from inservice.ports import Alarms, Deployments, Hosting, Inventory, Owned
from inservice.provisioning.definitions import DEPLOYMENT_TAG, EXPIRES_TAG

# What is not used now may be what an operator goes back to today.
_GRACE = timedelta(hours=24)


class Sweep(Record):
    """`report` names what would go, `remove` lets it go."""

    mode: Literal["report", "remove"] = "report"


class Swept(Record):
    """What is left behind and why, what was removed in this round, and what SageMaker would not let go."""

    found: dict[str, str]
    removed: tuple[str, ...]
    refused: tuple[str, ...]


def sweep(
    command: Sweep, *, inventory: Inventory, alarms: Alarms, hosting: Hosting, deployments: Deployments, now: datetime
) -> Swept:
    """One round; a config or model goes in the round after its endpoint's."""
    in_use = inventory.in_use()
    reasons = {owned: _reason(owned, in_use, deployments, now) for owned in (*inventory.owned(), *alarms.owned())}
    left = {owned: reason for owned, reason in reasons.items() if reason}
    removed: list[str] = []
    refused: list[str] = []
    for owned in left if command.mode == "remove" else ():
        label = f"{owned.kind} {owned.name}"
        try:
            _delete(owned, hosting, alarms)
            removed.append(label)
        except Refused as refusal:
            refused.append(f"{label} ({refusal})")
    found = {f"{owned.kind} {owned.name}": reason for owned, reason in left.items()}
    return Swept(found=found, removed=tuple(removed), refused=tuple(refused))


def _reason(owned: Owned, in_use: set[tuple[str, str]], deployments: Deployments, now: datetime) -> str | None:
    """Why a resource should go; None for one that is wanted, or that a running deployment may still need."""
    facts = deployments.read(owned.tags.get(DEPLOYMENT_TAG, "")) or {}
    if facts.get("status") in RUNNING:
        return None
    if owned.kind == "endpoint":
        reason = _endpoint_reason(owned, facts.get("request") or {}, now)
        return None if reason and _being_deployed(owned, deployments) else reason
    if owned.kind == "alarm":
        return "it was made for an update that has ended"
    if (owned.kind, owned.name.lower()) in in_use:
        return None
    if facts.get("status") == "NOT_DEPLOYED":
        return "its deployment was not deployed, and could not remove it"
    if now - owned.created_at < _GRACE:
        return None
    return "no endpoint uses it, and its deployment has ended"


def _being_deployed(owned: Owned, deployments: Deployments) -> bool:
    """An update bears its own deployment's id only when it has succeeded, and may be about to renew the lease."""
    newest, _ = deployments.newest(limit=1, token=None, where={"endpoint_name": owned.name})
    return bool(newest) and newest[0]["status"] in RUNNING


def _endpoint_reason(owned: Owned, request: dict[str, object], now: datetime) -> str | None:
    if owned.status in ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"):
        return None
    expires = owned.tags.get(EXPIRES_TAG)
    if expires and datetime.fromisoformat(expires) < now:
        return f"its lease ended at {expires}"
    kept = request.get("on_failure") or {}
    if owned.status == "Failed" and not (isinstance(kept, dict) and kept.get("keep_endpoint")):
        return "it is Failed, and its deployment has ended"
    return None


def _delete(owned: Owned, hosting: Hosting, alarms: Alarms) -> None:
    if owned.kind == "alarm":
        alarms.delete((owned.name,))
    elif owned.kind == "endpoint":
        hosting.delete_endpoint(owned.name)
    elif owned.kind == "endpoint-config":
        hosting.delete_endpoint_config(owned.name)
    else:
        hosting.delete_model(owned.name)
