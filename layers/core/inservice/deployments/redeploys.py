"""Which deployments an event asks for, and opening them: once per event, the newest wins, and no loop."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from inservice.clock import Clock
from inservice.deployments.live import package_of
from inservice.deployments.opening import open_deployment, plan_with_lookups
from inservice.errors import Conflict, Unreadable
from inservice.planning.asking import Lookup
from inservice.ports import Deployments, Executions, Hosting, LiveEndpoint, LiveEndpoints

# One redeploy after a failure, then people look at it: a GPU that fails twice a day is not cured by a third.
_RECOVERY_PAUSE = timedelta(hours=24)
# DescribeEndpoint's names without case and underscores, since events spell them FAILED or OUT_OF_SERVICE.
_FAILED = {"failed", "outofservice", "updaterollbackfailed", "rollbackfailed"}


@dataclass(frozen=True)
class Wish:
    """One request to deploy. `key` says which wishes are the same; a redeploy gives way to a running deployment."""

    document: dict[str, Any]
    key: str
    redeploy: bool = True
    live_plan: dict[str, Any] | None = None


def follow(
    event: dict[str, Any],
    *,
    live: LiveEndpoints,
    hosting: Hosting,
    lookup: Lookup,
    deployments: Deployments,
    executions: Executions,
    clock: Clock,
    region: str,
) -> list[str]:
    """Opens what the event asks for and returns the deployments' ids.

    Raises Unreadable for an event that asks for nothing usable, Conflict when a request's endpoint is taken.
    """
    opened: list[str] = []
    for wish in wishes_of(event, live=live, hosting=hosting, now=clock.now()):
        if wish.live_plan is not None and _planned(wish, lookup, region) == wish.live_plan:
            continue
        try:
            answer = open_deployment(
                wish.document, key=wish.key, lookup=lookup, deployments=deployments, executions=executions,
                clock=clock, region=region,
            )  # fmt: skip
        except Conflict:
            if not wish.redeploy:
                raise
            continue
        if answer.deployment_id is None:
            errors = [
                f"{found.field}: {found.message}" for found in answer.planning.findings if found.severity == "error"
            ]
            raise Unreadable(f"event {event['id']} asks for what cannot be deployed: {'; '.join(errors)}")
        opened.append(answer.deployment_id)
    return opened


def _planned(wish: Wish, lookup: Lookup, region: str) -> dict[str, Any] | None:
    _, planning = plan_with_lookups(wish.document, lookup=lookup, region=region)
    return planning.plan.as_json() if planning.plan else None


def wishes_of(event: dict[str, Any], *, live: LiveEndpoints, hosting: Hosting, now: datetime) -> list[Wish]:
    """The requests an event stands for; Unreadable for one that stands for none by its shape."""
    kind, detail = event.get("detail-type"), event.get("detail")
    if not isinstance(detail, dict) or not isinstance(event.get("id"), str):
        raise Unreadable(
            "the event has no id or no detail; send an EventBridge event with a DeploymentRequest in detail"
        )
    if kind == "Deployment Requested":
        return [Wish(detail, event["id"], redeploy=False)]
    if kind == "SageMaker Model Package State Change":
        return _of_package(event["id"], detail, live, hosting)
    if kind == "SageMaker Endpoint State Change":
        return _of_failure(event["id"], detail, live, now)
    if kind == "Scheduled Event":
        return [wish for found in live.every() for wish in _of_schedule(found, live, hosting, now)]
    raise Unreadable(f"nothing is deployed for events of type {kind!r}")


def _of_package(event_id: str, detail: dict[str, Any], live: LiveEndpoints, hosting: Hosting) -> list[Wish]:
    """Every endpoint that runs an older package of the group; what is busy now is seen to by the hourly round."""
    arn = str(detail.get("ModelPackageArn") or "")
    group, version = package_of(arn)
    if not group:
        raise Unreadable("the event names no ModelPackageArn of a version in a group (…:model-package/GROUP/VERSION)")
    if str(detail.get("ModelApprovalStatus", "")).lower() != "approved":
        return []
    wishes = []
    for found in live.every():
        runs, running_version = package_of(_package(found))
        if runs == group and version > running_version and live.want(found.endpoint_name, arn, version, event_id):
            wishes += _unless_gone(found, Wish(_again(found, arn), event_id), live, hosting)
    return wishes


def _of_failure(event_id: str, detail: dict[str, Any], live: LiveEndpoints, now: datetime) -> list[Wish]:
    """The endpoint's own request again, if it asks for that, and if this failure is of what is live and not old."""
    status = str(detail.get("EndpointStatus") or "").replace("_", "").lower()
    found = live.get(str(detail.get("EndpointName") or ""))
    if status not in _FAILED or found is None or not _redeploy(found).get("after_failure"):
        return []
    # Some events carry no config name (AWS's own samples differ).
    if (detail.get("EndpointConfigName") or found.config_name) != found.config_name:
        return []
    if _changed_at(detail, now) < _at(found.deployed_at):
        return []
    if not live.claim_recovery(found.endpoint_name, event_id, now.isoformat(), (now - _RECOVERY_PAUSE).isoformat()):
        return []
    return [Wish(_again(found), event_id)]


def _of_schedule(found: LiveEndpoint, live: LiveEndpoints, hosting: Hosting, now: datetime) -> list[Wish]:
    """What an approval left to do, else the request again when its period is over and the plan is another one."""
    if found.wanted and package_of(found.wanted)[1] > package_of(_package(found))[1]:
        return _unless_gone(found, Wish(_again(found, found.wanted), found.wanted_by), live, hosting)
    every = _redeploy(found).get("every_days")
    since = max(found.deployed_at, found.checked_at)
    if not every or now - _at(since) < timedelta(days=every):
        return []
    live.checked(found.endpoint_name, now.isoformat())
    wish = Wish(_again(found), f"every:{found.deployment_id}:{since}", live_plan=found.plan)
    return _unless_gone(found, wish, live, hosting)


def _unless_gone(found: LiveEndpoint, wish: Wish, live: LiveEndpoints, hosting: Hosting) -> list[Wish]:
    """An endpoint that somebody deleted is not brought back; one that somebody else changed is not ours to change."""
    endpoint = hosting.describe_endpoint(found.endpoint_name)
    if endpoint.status in ("Deleted", "Deleting"):
        live.remove(found.endpoint_name)
        return []
    return [wish] if endpoint.config_name == found.config_name else []


def _again(found: LiveEndpoint, package: str | None = None) -> dict[str, Any]:
    again = {**found.request, "request_id": None}
    return {**again, "model": {"model_package_arn": package}} if package else again


def _package(found: LiveEndpoint) -> str:
    return str((found.request.get("model") or {}).get("model_package_arn") or "")


def _redeploy(found: LiveEndpoint) -> dict[str, Any]:
    return found.request.get("redeploy") or {}


def _changed_at(detail: dict[str, Any], now: datetime) -> datetime:
    """When the endpoint changed, as the event says it in Unix milliseconds; now when it does not."""
    moment = detail.get("LastModifiedTime")
    return datetime.fromtimestamp(moment / 1000, UTC) if isinstance(moment, int | float) else now


def _at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)
