"""One look at an endpoint: what SageMaker says, what the log proves, and when to look again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from inservice.contracts import Diagnosis, Endpoint, EndpointStatus, Observation, Plan, Watch
from inservice.diagnosis.instances import Instances
from inservice.ports import EndpointDescription, LogLine
from inservice.watching.cursor import moved, new_lines
from inservice.watching.losing import losing_after, telling_tail
from inservice.watching.phases import Standing, ready_estimate, stalled, standing

# Before the container's window starts, SageMaker finds an instance and pulls the image. An endpoint without capacity
# has been seen to fail after 31 minutes (public AWS DLC test logs), so silence up to here is no verdict of ours.
PROVISIONING_ALLOWANCE = timedelta(minutes=35)
# DescribeEndpoint may still show the old configuration for a few seconds after UpdateEndpoint has returned.
_DESCRIBE_LAG = timedelta(seconds=60)
_SHORTEST_WAIT, _LONGEST_WAIT = 5, 60

_UNDER_WAY = {"Creating", "Updating", "SystemUpdating", "RollingBack"}


def look(
    *,
    status: EndpointDescription,
    lines: list[LogLine] | None,
    previous: Watch,
    endpoint: Endpoint,
    plan: Plan,
    now: datetime,
) -> Observation:
    """What this look shows; pure. `lines` is None when the log group does not exist."""
    fresh = new_lines(lines or [], previous, endpoint)
    instances = Instances(previous.starting)
    # While an endpoint is updated, its old instances go on serving, and logging.
    told = fresh if endpoint.created else instances.starting(fresh)
    here = standing(previous, told, now)
    settled = _settled(status, endpoint, now)
    losing = previous.losing or (None if settled else losing_after(previous, told, here, plan))
    verdict = settled or _unsettled(losing, endpoint, plan, now)
    watch = _remember(previous, fresh, told, here, losing, instances)
    ends = _window_ends(watch, plan)
    estimate = ready_estimate(here, plan, now)
    return Observation(
        at=now,
        status=_status(status.status),
        verdict=cast(Any, verdict),
        failure_reason=(status.failure_reason or "").strip() or None,
        phase="ready" if verdict == "in_service" else here.phase,
        progress=1.0 if verdict == "in_service" else here.progress,
        ready_estimate_at=estimate,
        window_ends_at=ends,
        stalled=None if settled else stalled(here, watch.last_line_at, plan, now),
        announce=losing is not None and previous.losing is None,
        wait_seconds=_wait(here, estimate, ends, losing, now),
        watch=watch,
    )


def _settled(status: EndpointDescription, endpoint: Endpoint, now: datetime) -> str | None:
    """The verdict SageMaker's own word allows; None while the matter is open."""
    if status.status in ("Deleted", "Deleting"):
        return "gone"
    if status.status in ("Failed", "UpdateRollbackFailed"):
        return "failed"
    if status.status != "InService" or status.pending:
        return None
    if status.config_name == endpoint.endpoint_config_name:
        return "rolled_back" if status.failure_reason and not endpoint.created else _served(status)
    return None if _may_lag(status, endpoint, now) else "rolled_back"


def _served(status: EndpointDescription) -> str:
    return "failed" if status.failure_reason else "in_service"


def _may_lag(status: EndpointDescription, endpoint: Endpoint, now: datetime) -> bool:
    """Right after UpdateEndpoint the old state may still be shown; a rollback has a reason or a later change."""
    if status.failure_reason:
        return status.modified_at is not None and status.modified_at < endpoint.started_at
    if now - endpoint.started_at <= _DESCRIBE_LAG:
        return True
    return (
        status.modified_at is not None
        and status.modified_at < endpoint.started_at
        and now - endpoint.started_at <= 2 * _DESCRIBE_LAG
    )


def _unsettled(losing: Diagnosis | None, endpoint: Endpoint, plan: Plan, now: datetime) -> str:
    longest = timedelta(seconds=plan.health_check_timeout_seconds + plan.download_timeout_seconds)
    if now - endpoint.started_at > longest + PROVISIONING_ALLOWANCE:
        return "out_of_time"
    return "losing" if losing else "going_on"


def _remember(
    previous: Watch, fresh: list[LogLine], told: list[LogLine], here: Standing, losing: Diagnosis | None,
    instances: Instances,
) -> Watch:  # fmt: skip
    first, last = _span(told)
    cursor, ids = moved(previous, fresh)
    return Watch(
        log_cursor_ms=cursor,
        seen_event_ids=ids,
        lines_read=previous.lines_read + len(fresh),
        phase=here.phase,
        phase_since=here.since,
        progress=here.progress,
        banner=here.banner,
        banner_count=here.banner_count,
        # A line delivered late may be the earlier one.
        container_since=min((at for at in (previous.container_since, first) if at), default=None),
        last_line_at=max((at for at in (previous.last_line_at, last) if at), default=None),
        starting=instances.known,
        tail=telling_tail(previous, told),
        losing=losing,
    )


def _span(told: list[LogLine]) -> tuple[datetime | None, datetime | None]:
    """When the first and the newest of these lines were printed."""
    moments = [datetime.fromtimestamp(line.at_ms / 1000, UTC) for line in told]
    return min(moments, default=None), max(moments, default=None)


def _window_ends(watch: Watch, plan: Plan) -> datetime | None:
    """When the start-up window ends, counted from the first container's first line; None before it.

    A container that exits is started again within the same window (public timelines of crash loops), so restarts
    do not move its end; the download of model data, which has a window of its own, is over before the first line.
    """
    if watch.container_since is None:
        return None
    return watch.container_since + timedelta(seconds=plan.health_check_timeout_seconds)


def _wait(
    here: Standing, estimate: datetime | None, ends: datetime | None, losing: Diagnosis | None, now: datetime
) -> int:
    """Seconds to the next look: seldom while nothing can change, often near the end."""
    if losing or here.phase in ("queued", "provision"):
        return 30 if here.phase in ("queued", "provision") and not losing else _LONGEST_WAIT
    if here.phase == "ready":
        return _SHORTEST_WAIT
    nearest = min(
        [moment for moment in (estimate, ends) if moment and moment > now], default=now + timedelta(seconds=40)
    )
    return int(min(30, max(_SHORTEST_WAIT, (nearest - now).total_seconds() / 4)))


def _status(status: str) -> EndpointStatus:
    known = {"OutOfService", "InService", "Deleting", "Failed", "UpdateRollbackFailed", "Deleted", *_UNDER_WAY}
    return cast(EndpointStatus, status if status in known else "OutOfService")
