"""`inservice status`, `list`, `stop` and `open`: one look, or one word to a deployment."""

from __future__ import annotations

import re
import sys
import webbrowser
from typing import Any

from cli.api import Service, find_service
from cli.problems import ApiError
from cli.telling import RUNNING, console, tell_json, tell_list, tell_outcome

_ID = re.compile(r"^d-[0-9a-z]+$")


def status(name: str, *, json_output: bool, service: Service | None = None) -> int:
    """Shows a deployment by id, or the newest one of an endpoint; 0 unless it was not deployed."""
    outcome = newest(service or find_service(), name)
    if json_output:
        tell_json(outcome)
    else:
        tell_outcome(outcome, console())
    return 1 if outcome["status"] in ("NOT_DEPLOYED", "REFUSED") else 0


def list_all(
    *, endpoint: str | None, status: str | None, cause: str | None, limit: int, json_output: bool,
    service: Service | None = None,
) -> int:  # fmt: skip
    """Lists deployments, newest first, as many as `limit`."""
    service = service or find_service()
    found: list[dict[str, Any]] = []
    token: str | None = None
    while len(found) < limit:
        asked = {"limit": str(min(100, limit - len(found))), "next": token}
        page = service.call(
            "GET", "/deployments", None, endpoint_name=endpoint, status=status, cause=cause, **asked
        )  # fmt: skip
        found += page["deployments"]
        token = page.get("next")
        if not token:
            break
    if json_output:
        tell_json({"deployments": found, "next": token})
    else:
        tell_list(found, console())
    return 0


def stop(name: str, *, json_output: bool, service: Service | None = None) -> int:
    """Stops a deployment, which then cleans up after itself."""
    service = service or find_service()
    stopped = service.call("DELETE", f"/deployments/{newest(service, name)['deployment_id']}")
    if json_output:
        tell_json(stopped)
    elif stopped["status"] in RUNNING:
        print(f"Stopping {stopped['deployment_id']}; what it made is removed as soon as SageMaker allows.")
    else:
        print(f"{stopped['deployment_id']} had already ended: {stopped['status']}.")
    return 0


def open_page(name: str, *, json_output: bool, service: Service | None = None) -> int:
    """Opens the timeline in a browser, or says where it is."""
    outcome = newest(service or find_service(), name)
    page = outcome["links"].get("page")
    if not page:
        raise ApiError(f"{outcome['deployment_id']} has no page; its links are {sorted(outcome['links'])}")
    if json_output:
        tell_json({"page": page})
    elif not (sys.stdout.isatty() and webbrowser.open(page)):
        print(page)
    return 0


def newest(service: Service, name: str) -> dict[str, Any]:
    """A deployment by its id, or the newest of the endpoint of that name; ApiError when there is neither."""
    if _ID.match(name):
        try:
            return service.call("GET", f"/deployments/{name}")
        except ApiError as problem:
            if problem.status != 404:
                raise
    found = service.call("GET", "/deployments", None, endpoint_name=name, limit="1")["deployments"]
    if not found:
        raise ApiError(f"there is no deployment {name} and no endpoint of that name; see: inservice list", status=404)
    outcome: dict[str, Any] = found[0]
    return outcome
