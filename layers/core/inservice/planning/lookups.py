"""Asking the world what only a call can tell; a call that fails is named, and planning goes on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from inservice.contracts import DeploymentRequest
from inservice.errors import InServiceError
from inservice.ports import Hub, Images, Lookups, Packages, Quotas


def gather(
    request: DeploymentRequest,
    *,
    region: str,
    hub: Hub | None,
    quotas: Quotas | None,
    images: Images | None,
    packages: Packages | None = None,
    token: str | None,
) -> Lookups:
    """What hub, quotas and registries say about the request; never raises."""
    unanswered: list[str] = []

    def asked(what: str, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except (InServiceError, OSError, ValueError) as problem:
            unanswered.append(f"{what}: {problem}")
            return None

    described = None
    source = request.model
    if hub is not None and source.hub_id and not source.s3_uri:
        described = asked("hub", lambda: hub.describe(source.hub_id or "", source.revision, token))
    types = [kind for kind in (request.instance_type, *request.fallback_instance_types) if kind != "auto"]
    quota: dict[str, int | None] = {}
    if quotas is not None:
        for kind in types:
            quota[kind] = asked("quota", partial(quotas.endpoint_instances, kind))
    image = request.image_uri
    exists = asked("image", lambda: images.exists(image)) if images and image else None
    arn = source.model_package_arn
    package = asked("model package", lambda: packages.describe(arn)) if packages and arn else None
    return Lookups(
        hub=described, quota=quota, image_exists=exists, package=package, unanswered=tuple(unanswered)
    )  # fmt: skip
