"""What happens between CreateEndpoint (or UpdateEndpoint) and its end, in virtual time."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from simulator.running import Container, until_ready
from simulator.servers import start_of
from simulator.world import Image, image, machine

if TYPE_CHECKING:
    from simulator.hosting import Endpoint, Hosting

# Virtual seconds, from public reports of real deployments: an instance is found and the image pulled in 3 to 10
# minutes; a capacity failure takes 31; a container that cannot start, 6; deletion, 1 to 3.
_PROVISION, _CAPACITY, _CANNOT_START, _DELETION = (190, 300), 1860, 360, (60, 120)
_PING = (
    "The primary container for production variant {variant} did not pass the ping health check. Please check "
    "CloudWatch logs for this endpoint."
)
_NO_CAPACITY = (
    "Unable to provision requested ML compute capacity due to InsufficientInstanceCapacity error. Please retry using a "
    "different ML instance type or after some time."
)
_CANNOT = (
    "CannotStartContainerError. Please ensure the model container for variant {variant} starts correctly when invoked "
    "with 'docker run <image> serve'"
)


def deploy(hosting: Hosting, endpoint: Endpoint, config: dict[str, Any]) -> None:
    """Brings the endpoint to the config: InService, Failed, or back on what it had."""
    variant = config["ProductionVariants"][0]
    reason, container = _try(hosting, endpoint, variant)
    if hosting.stopping.is_set():
        return
    with hosting.lock:
        endpoint.modified = hosting.clock.now()
        was_update = endpoint.pending is not None
        if reason is None:
            old, endpoint.container = endpoint.container, container
            endpoint.config, endpoint.status, endpoint.reason = config["EndpointConfigName"], "InService", None
        else:
            old, endpoint.reason = None, reason
            # A failed update goes back to the old configuration, and looks alive.
            endpoint.status = "InService" if was_update else "Failed"
        endpoint.pending = None
    if old:
        old.stop()


def remove(hosting: Hosting, endpoint: Endpoint) -> None:
    """Deletes asynchronously; the name is free at the end."""
    if endpoint.container:
        endpoint.container.stop()
    if hosting.clock.wait_until(hosting.clock.now() + _between(_DELETION, endpoint.name), hosting.stopping):
        return
    with hosting.lock:
        hosting.endpoints.pop(endpoint.name.lower(), None)


def _try(hosting: Hosting, endpoint: Endpoint, variant: dict[str, Any]) -> tuple[str | None, Container | None]:
    """(FailureReason or None, the container that serves)."""
    clock, stop, name = hosting.clock, hosting.stopping, variant["VariantName"]
    kind = _instance_type(hosting, variant)
    if kind is None:
        clock.wait_until(clock.now() + _CAPACITY, stop)
        return _NO_CAPACITY, None
    model = hosting.models.get(variant["ModelName"].lower()) or {}
    definition = model.get("PrimaryContainer") or {}
    served, hardware = image(definition.get("Image", "")), machine(kind)
    if not served.published or hardware is None or _ami_mismatch(served, variant):
        clock.wait_until(clock.now() + _CANNOT_START, stop)
        return _CANNOT.format(variant=name), None
    clock.wait_until(clock.now() + _between(_PROVISION, endpoint.name + endpoint.config), stop)
    stream = f"{name}/i-{zlib.crc32((endpoint.name + str(clock.now())).encode()):08x}"

    def line(at: float, text: str) -> None:
        hosting.engine.line(f"/aws/sagemaker/Endpoints/{endpoint.name}", stream, int(at * 1000), text)

    def begin() -> Container:
        start = start_of(
            served.server, served.version, definition.get("Environment") or {}, hardware, hosting.hub_token
        )
        return Container(start, clock, line)

    # An hour is SageMaker's longest window; 5 minutes is played where the request names none (not documented).
    window = variant.get("ContainerStartupHealthCheckTimeoutInSeconds") or 300
    container = until_ready(begin, clock, window, stop)
    return (None, container) if container else (_PING.format(variant=name), None)


def _instance_type(hosting: Hosting, variant: dict[str, Any]) -> str | None:
    """The first type with capacity; None when there is none."""
    pools = sorted(variant.get("InstancePools") or [], key=lambda pool: pool["Priority"])
    kinds = [pool["InstanceType"] for pool in pools] or [variant.get("InstanceType", "")]
    return next((kind for kind in kinds if hosting.faults["capacity"].get(kind, 1) > 0), None)


def _ami_mismatch(served: Image, variant: dict[str, Any]) -> bool:
    """A CUDA 13 image needs the 580 driver's AMI, a CUDA 12 image an older one; else it leaves no log at all."""
    ami = variant.get("InferenceAmiVersion") or ""
    newest = "gpu-4" in ami
    return (served.cuda or "12").startswith("13") != newest


def _between(bounds: tuple[int, int], key: str) -> float:
    """A duration that is the same for the same key."""
    low, high = bounds
    return low + zlib.crc32(key.encode()) % (high - low)
