"""The control door, `/_simulator/`: what is going on, faults, and what else the world holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from simulator.beliefs.images import image

if TYPE_CHECKING:
    from simulator.simulation import Simulation

_HELP = {
    "GET health": "whether it serves, its virtual time and scale",
    "GET calls": "every AWS and control call with virtual time, caller and outcome",
    "GET resources": "models, configs, and endpoints with their status",
    "GET reports": "per endpoint: when the log proved its fate, and when SageMaker said so",
    "GET logs/GROUP": "the lines of a log group, e.g. logs/aws/sagemaker/Endpoints/NAME",
    "GET events": "the EventBridge events emitted",
    "GET metrics": "the newest utilisation of each endpoint",
    "GET|PUT|DELETE faults": "faults in force; PUT replaces the kinds it names",
    "PUT images": "image URI to {server, version, engine_version, cuda, command}",
    "PUT hub": "repository to {config, weight_bytes, files, texts, gated, revisions, without}",
    "PUT objects": "S3 URI to a size in bytes or a text; null removes",
}


def answer(simulation: Simulation, method: str, what: str, body: Any) -> tuple[int, Any]:
    """(HTTP status, JSON) for one request to the control door."""
    name = unquote(what)
    try:
        found = _read(simulation, name) if method == "GET" else _change(simulation, method, name, body)
    except (ValueError, TypeError, AttributeError) as problem:
        return 400, {"error": str(problem)}
    if method != "GET":
        simulation.record.call(simulation.clock.now(), f"{method} {name}", "control", "ok", {})
    return (404, {"error": f"unknown: {method} {name}", "known": _HELP}) if found is None else (200, found)


def _read(simulation: Simulation, name: str) -> Any:
    if name.startswith("logs/"):
        return simulation.logs.lines("/" + name.removeprefix("logs/"))
    readers = {
        "": lambda: _HELP,
        "health": lambda: {"ok": True, "now": simulation.clock.now(), "time_scale": simulation.clock.scale},
        "calls": simulation.record.calls,
        "reports": simulation.record.reports,
        "resources": lambda: _resources(simulation),
        "logs": simulation.logs.groups,
        "events": simulation.events.sent,
        "metrics": simulation.metrics.newest,
        "faults": simulation.faults.current,
    }
    return readers[name]() if name in readers else None


def _change(simulation: Simulation, method: str, name: str, body: Any) -> Any:
    if method == "DELETE" and name == "faults":
        simulation.faults.clear()
        return simulation.faults.current()
    if method != "PUT" or name not in ("faults", "images", "hub", "objects"):
        return None
    if name == "faults":
        return simulation.faults.put(body)
    if not isinstance(body, dict):
        raise ValueError(f"{name} is a JSON object")
    if name == "images":
        simulation.images.update({uri: _readable_image(uri, entry) for uri, entry in body.items()})
    elif name == "hub":
        simulation.hub.add(body)
    else:
        simulation.objects.declare(body)
    return {"ok": True}


def _readable_image(uri: str, entry: Any) -> dict[str, Any]:
    """An entry as it came, once it was read: a mistake is told at the door, not inside a starting instance."""
    try:
        image(uri, {uri: entry})
    except (ValueError, TypeError, AttributeError) as problem:
        raise ValueError(f'{uri}: {problem}; an image is {{"server", "version", "cuda": "12.4", …}}') from None
    return dict(entry)


def _resources(simulation: Simulation) -> dict[str, Any]:
    with simulation.lock:
        return {
            "endpoints": {one.name: one.status for one in simulation.endpoints.values()},
            "configs": sorted(config["EndpointConfigName"] for config in simulation.configs.values()),
            "models": sorted(model["ModelName"] for model in simulation.models.values()),
            "packages": sorted(simulation.packages),
        }
