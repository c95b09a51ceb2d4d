"""Diagnosing an endpoint that anybody created: SageMaker's word and definitions, the log and the metrics."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from inservice.clock import Clock
from inservice.contracts import Diagnosis
from inservice.diagnosis.attempt import MOST_LOG_BYTES
from inservice.diagnosis.diagnose import diagnose
from inservice.diagnosis.facts import Facts
from inservice.diagnosis.instances import Instances, never_ready
from inservice.errors import InServiceError
from inservice.planning.names import log_group_of
from inservice.planning.tables import instance
from inservice.ports import EndpointDescription, Hosting, Logs, Metrics, Peak

# The longest that an update's new instances can have been starting: both windows at their maximum of an hour
# (SageMaker API reference), and half an hour until there is an instance.
_LONGEST_UPDATE = timedelta(hours=2, minutes=30)


def diagnose_endpoint(name: str, *, hosting: Hosting, logs: Logs, metrics: Metrics, clock: Clock) -> Diagnosis | None:
    """Why the endpoint's newest start failed, or how it stands; None when neither it nor a log of it exists.

    The endpoint and its log must be readable, or InServiceError is raised; without the rest it goes on.
    """
    seen = hosting.describe_endpoint(name)
    updated = _is_updated(seen)
    keep = Instances().may_start if updated else None
    since_ms = _since_ms(seen, updated=updated)
    lines = logs.read_both_ends(log_group_of(name), since_ms, max_bytes=MOST_LOG_BYTES, keep=keep)
    if seen.status == "Deleted" and lines is None:
        return None
    # Of an endpoint made not long ago, the old instances' own start is in this log too.
    told = never_ready(lines or ()) or lines if updated else lines
    variant = {} if updated else _variant(seen, hosting)
    return diagnose(
        failure_reason=seen.failure_reason,
        log="\n".join(line.message for line in told or ()) or None,
        facts=_facts(variant, hosting, log_group_exists=lines is not None),
        peaks=_peaks(name, seen, variant, metrics, clock),
    )


def _is_updated(seen: EndpointDescription) -> bool:
    """Whether old instances serve, and what is asked for is why new ones do not: an update that runs or was undone."""
    under_way = seen.status in ("Updating", "RollingBack", "UpdateRollbackFailed")
    return under_way or (seen.status == "InService" and seen.failure_reason is not None)


def _since_ms(seen: EndpointDescription, *, updated: bool) -> int:
    # A log group outlives its endpoint, and the next endpoint of that name writes into it.
    since = seen.created_at
    if since and updated and seen.modified_at:
        since = max(since, seen.modified_at - _LONGEST_UPDATE)
    return int(since.timestamp() * 1000) if since else 0


def _variant(seen: EndpointDescription, hosting: Hosting) -> dict[str, Any]:
    """The first variant of the config that was started; of an update undone SageMaker no longer names the config."""
    with suppress(InServiceError):
        config = hosting.describe_endpoint_config(seen.config_name) if seen.config_name else None
        variants = (config or {}).get("ProductionVariants") or [{}]
        return dict(variants[0])
    return {}


def _facts(variant: dict[str, Any], hosting: Hosting, *, log_group_exists: bool) -> Facts:
    """What SageMaker's own definitions say; its defaults where they are silent are not known."""
    machine = instance(variant.get("InstanceType") or "")
    return Facts(
        image_uri=_container(variant, hosting).get("Image"),
        ami=variant.get("InferenceAmiVersion"),
        window_seconds=variant.get("ContainerStartupHealthCheckTimeoutInSeconds"),
        volume_gb=variant.get("VolumeSizeInGB"),
        gpu_count=machine.gpu_count if machine else None,
        log_group_exists=log_group_exists,
    )


def _container(variant: dict[str, Any], hosting: Hosting) -> dict[str, Any]:
    with suppress(InServiceError):
        model = hosting.describe_model(variant["ModelName"]) if variant.get("ModelName") else None
        several = (model or {}).get("Containers") or [{}]
        return dict((model or {}).get("PrimaryContainer") or several[0])
    return {}


def _peaks(
    name: str, seen: EndpointDescription, variant: dict[str, Any], metrics: Metrics, clock: Clock
) -> tuple[Peak, ...]:
    """What the instances of a first start used while it went on; what serves was not short of anything."""
    if seen.status not in ("Creating", "Failed") or seen.created_at is None or not variant:
        return ()
    ended = seen.modified_at if seen.status == "Failed" else None
    with suppress(InServiceError):
        return metrics.peaks(name, variant["VariantName"], since=seen.created_at, until=ended or clock.now())
    return ()
