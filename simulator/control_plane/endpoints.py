"""Endpoints: create, update, delete, describe; and the work each starts."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from simulator.beliefs import durations
from simulator.control_plane.listing import page
from simulator.control_plane.quota import require_quota
from simulator.control_plane.records import IN_PROGRESS, Endpoint
from simulator.fleet.fleet import Fleet
from simulator.fleet.rollout import Rollout
from simulator.wire.errors import validation

if TYPE_CHECKING:
    from simulator.simulation import Simulation


def create_endpoint(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """CreateEndpoint: names are taken in any case, by a failed endpoint too; quota is checked now."""
    name = asked["EndpointName"]
    if name.lower() in simulation.endpoints:
        raise simulation.names.taken("endpoint", name)
    config = simulation.config(asked["EndpointConfigName"])
    require_quota(simulation, config)
    now, arn = simulation.clock.now(), simulation.names.arn("endpoint", name)
    made = Endpoint(name, arn, "Creating", config["EndpointConfigName"], now, now, policy=asked.get("DeploymentConfig"),
                    tags=list(asked.get("Tags") or []))  # fmt: skip
    simulation.endpoints[name.lower()] = made
    simulation.tags[arn] = made.tags
    simulation.record.created(name, now)
    made.pending_fleet = Fleet(simulation, name, config)
    count = sum(made.pending_fleet.wanted.values())
    made.variant_status = {"Status": "Creating", "StatusMessage": f"Launching {count} instance(s).", "StartTime": now}
    simulation.events.endpoint(made)
    _begin(_bring_up, simulation, made)
    return {"EndpointArn": arn}


def update_endpoint(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """UpdateEndpoint: a different configuration, on an endpoint at rest; blue/green counts twice against quota."""
    endpoint = simulation.endpoint(asked["EndpointName"])
    _require_rest(simulation, endpoint)
    wanted = asked["EndpointConfigName"]
    if wanted.lower() == endpoint.config.lower():
        raise validation(
            f'Cannot update endpoint with the currently in use endpoint configuration "{endpoint.config}".'
        )
    config = simulation.config(wanted)
    policy = asked.get("DeploymentConfig") or {}
    if "RollingUpdatePolicy" in policy and len(config["ProductionVariants"]) > 1:
        raise validation("Rolling deployment is not supported for endpoints with multiple production variants.")
    require_quota(simulation, config, policy.get("RollingUpdatePolicy"))
    endpoint.status, endpoint.pending = "Updating", config["EndpointConfigName"]
    endpoint.modified, endpoint.policy = simulation.clock.now(), policy or None
    endpoint.pending_fleet = Fleet(simulation, endpoint.name, config)
    if asked.get("RetainAllVariantProperties") and endpoint.fleet:
        _retain(endpoint.fleet, endpoint.pending_fleet)
    simulation.record.created(endpoint.name, endpoint.modified)
    simulation.events.endpoint(endpoint)
    _begin(_move, simulation, endpoint)
    return {"EndpointArn": endpoint.arn}


def update_weights(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """UpdateEndpointWeightsAndCapacities."""
    endpoint = simulation.endpoint(asked["EndpointName"])
    _require_rest(simulation, endpoint)
    assert endpoint.fleet is not None
    for wanted in asked["DesiredWeightsAndCapacities"]:
        if wanted["VariantName"] not in endpoint.fleet.instances:
            raise validation(f'Could not find variant "{wanted["VariantName"]}" of endpoint "{endpoint.arn}".')
    counts = {w["VariantName"]: w["DesiredInstanceCount"] for w in asked["DesiredWeightsAndCapacities"]
              if w.get("DesiredInstanceCount") is not None}  # fmt: skip
    weights = {w["VariantName"]: float(w["DesiredWeight"]) for w in asked["DesiredWeightsAndCapacities"]
               if w.get("DesiredWeight") is not None}  # fmt: skip
    endpoint.status, endpoint.modified = "Updating", simulation.clock.now()
    simulation.events.endpoint(endpoint)
    _begin(_rescale, simulation, endpoint, counts, weights)
    return {"EndpointArn": endpoint.arn}


def delete_endpoint(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DeleteEndpoint: refused while something is under way, asynchronous otherwise."""
    endpoint = simulation.endpoint(asked["EndpointName"])
    if endpoint.status in IN_PROGRESS:
        raise validation(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint.status != "Deleting":
        endpoint.status, endpoint.modified = "Deleting", simulation.clock.now()
        simulation.events.endpoint(endpoint)
        _begin(_remove, simulation, endpoint)
    return {}


def describe_endpoint(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DescribeEndpoint: a failed endpoint shows no variants, one under way shows what is pending."""
    endpoint = simulation.endpoint(asked["EndpointName"])
    shown = simulation.faults.value("status", endpoint.name) or endpoint.status
    found: dict[str, Any] = {
        "EndpointName": endpoint.name, "EndpointArn": endpoint.arn, "EndpointConfigName": endpoint.config,
        "EndpointStatus": shown, "CreationTime": endpoint.created, "LastModifiedTime": endpoint.modified,
        "FailureReason": endpoint.reason, "LastDeploymentConfig": endpoint.policy,
    }  # fmt: skip
    if endpoint.fleet and endpoint.status != "Failed":
        found["ProductionVariants"] = _summaries(simulation, endpoint.fleet, None)
    if endpoint.pending_fleet:
        found["PendingDeploymentSummary"] = {
            "EndpointConfigName": endpoint.pending_fleet.config["EndpointConfigName"], "StartTime": endpoint.modified,
            "ProductionVariants": _summaries(simulation, endpoint.pending_fleet, endpoint.variant_status),
        }  # fmt: skip
    return found


def list_endpoints(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """ListEndpoints."""
    rows = [{"EndpointName": e.name, "EndpointArn": e.arn, "CreationTime": e.created, "LastModifiedTime": e.modified,
             "EndpointStatus": e.status} for e in simulation.endpoints.values()]  # fmt: skip
    return page("Endpoints", rows, asked, "EndpointName")


def _summaries(simulation: Simulation, fleet: Fleet, status: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [
        {
            "VariantName": name, "CurrentWeight": fleet.weights[name], "DesiredWeight": fleet.weights[name],
            "CurrentInstanceCount": len(fleet.ready(name)), "DesiredInstanceCount": fleet.wanted[name],
            "VariantStatus": [status] if status else None,
            "DeployedImages": [_deployed(simulation, fleet, name)],
        }
        for name in fleet.instances
    ]  # fmt: skip


def _deployed(simulation: Simulation, fleet: Fleet, name: str) -> dict[str, Any]:
    image = next((one.image for one in fleet.instances[name] if one.image), None)
    if image is None:
        return {}
    digest = simulation.digest(image)
    return {"SpecifiedImage": image, "ResolvedImage": f"{image.rsplit(':', 1)[0]}@sha256:{digest}",
            "ResolutionTime": fleet.config["CreationTime"]}  # fmt: skip


def _bring_up(simulation: Simulation, endpoint: Endpoint) -> None:
    fleet = endpoint.pending_fleet
    assert fleet is not None
    reason = fleet.grow(fleet.wanted)
    _settle(simulation, endpoint, "Failed" if reason else "InService", reason, None if reason else fleet)
    if reason:
        fleet.stop()


def _move(simulation: Simulation, endpoint: Endpoint) -> None:
    green, blue = endpoint.pending_fleet, endpoint.fleet
    assert green is not None
    reason = Rollout(simulation, endpoint, green, endpoint.policy or {}).run()
    loser = green if reason else blue
    # A failed update goes back to the old configuration and is InService again, with a reason.
    if reason and blue:
        blue.share = 1.0
        blue.grow(blue.wanted)
    _settle(simulation, endpoint, "InService", reason, blue if reason else green)
    if loser:
        loser.stop()


def _rescale(simulation: Simulation, endpoint: Endpoint, counts: dict[str, int], weights: dict[str, float]) -> None:
    fleet = endpoint.fleet
    assert fleet is not None
    before = dict(fleet.wanted)
    reason = fleet.grow(counts)
    if reason:
        fleet.shrink(before)
    else:
        fleet.shrink(counts)
        fleet.wanted |= counts
        fleet.weights |= weights
    _settle(simulation, endpoint, "InService", reason, fleet)


def _settle(simulation: Simulation, endpoint: Endpoint, status: str, reason: str | None, fleet: Fleet | None) -> None:
    if simulation.stopping.is_set():
        return
    with simulation.lock:
        endpoint.status, endpoint.reason, endpoint.fleet = status, reason, fleet
        endpoint.modified, endpoint.pending, endpoint.pending_fleet = simulation.clock.now(), None, None
        endpoint.variant_status = None
        if fleet:
            fleet.share, endpoint.config = 1.0, fleet.config["EndpointConfigName"]
    simulation.record.settled(endpoint.name, endpoint.modified, status, reason)
    simulation.events.endpoint(endpoint)


def _remove(simulation: Simulation, endpoint: Endpoint) -> None:
    if endpoint.fleet:
        endpoint.fleet.stop()
    clock = simulation.clock
    if clock.wait_until(clock.now() + durations.deletion(endpoint.name), simulation.stopping):
        return
    with simulation.lock:
        simulation.endpoints.pop(endpoint.name.lower(), None)
        simulation.tags.pop(endpoint.arn, None)


def _require_rest(simulation: Simulation, endpoint: Endpoint) -> None:
    if endpoint.status in (*IN_PROGRESS, "Deleting"):
        raise validation(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint.status == "Failed":
        # DeleteEndpoint is all that is allowed; the words of the refusal are not public, these are ours.
        raise validation(f'Cannot update endpoint "{endpoint.arn}" in Failed state.')


def _retain(old: Fleet, new: Fleet) -> None:
    for name in new.wanted:
        if name in old.wanted:
            new.wanted[name], new.weights[name] = old.wanted[name], old.weights[name]


def _begin(work: Any, *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()
