"""CleanUp: removes what this attempt made and nothing else, one round at a time, while SageMaker lets it."""

from __future__ import annotations

from inservice.clock import Clock
from inservice.commands import CleanUp
from inservice.contracts import CleanedUp
from inservice.errors import Refused
from inservice.ports import Alarms, EndpointDescription, Hosting
from inservice.provisioning.alarms import alarm_names
from inservice.provisioning.definitions import Definitions, define

# An endpoint in Creating can be neither updated nor deleted, for as long as both its windows: 2 × 3600 s and the time
# to find an instance. 400 rounds of 30 s are 3 h 20 min.
_MOST_TRIES = 400
_WAIT_SECONDS, _DELETING_SECONDS = 30, 10
_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack")


def clean_up(command: CleanUp, *, hosting: Hosting, alarms: Alarms, execution_role_arn: str, clock: Clock) -> CleanedUp:
    """What was removed in this round, what is left, and when to come again; done at the latest after `_MOST_TRIES`."""
    if command.plan is None:
        return CleanedUp(done=True, removed=(), remaining=(), wait_seconds=0)
    made = define(
        command.request, command.plan, deployment_id=command.deployment_id, role_arn=execution_role_arn,
        now=clock.now(), variant=command.endpoint.variant_name if command.endpoint else "AllTraffic",
    )  # fmt: skip
    live = hosting.describe_endpoint(made.endpoint_name)
    removed, waiting = _release(command, live, made, hosting)
    if waiting and command.tries < _MOST_TRIES:
        kept = () if command.keep else (f"endpoint {made.endpoint_name}",)
        return CleanedUp(done=False, removed=removed, remaining=kept, wait_seconds=waiting)
    if waiting:
        return CleanedUp(done=True, removed=removed, remaining=_all_names(made), wait_seconds=0)
    # Not before the endpoint has settled: SageMaker reads them for as long as it moves traffic.
    rung = alarms.delete(alarm_names(made.endpoint_name, command.deployment_id))
    removed = (*removed, *(f"alarm {name}" for name in rung))
    if live.config_name == made.config_name and live.status not in ("Deleted", "Deleting"):
        # Somebody is served by it (or the failed endpoint is kept to be looked at): its config and models stay.
        return CleanedUp(done=True, removed=removed, remaining=(), wait_seconds=0)
    gone, left = _remove_definitions(made, _used_by(live, hosting), hosting)
    return CleanedUp(done=True, removed=(*removed, *gone), remaining=left, wait_seconds=0)


def _release(
    command: CleanUp, live: EndpointDescription, made: Definitions, hosting: Hosting
) -> tuple[tuple[str, ...], int]:
    """Frees the endpoint's name or moves it back; (what was removed, seconds to wait or 0 when it is settled)."""
    endpoint = command.endpoint
    ours = live.config_name == made.config_name
    if live.status == "Deleted" or (endpoint is None and not ours):
        return (), 0
    if live.status == "Deleting":
        return (), _DELETING_SECONDS
    if live.status in _IN_PROGRESS or live.pending:
        return (), _WAIT_SECONDS
    if not ours or command.keep:
        return (), 0
    if endpoint is None and live.status != "Failed":
        # It serves, and nothing tells that this deployment made it: better left than deleted under somebody's feet.
        return (), 0
    if endpoint is not None and not endpoint.created:
        return (), _move_back(endpoint.previous_config_name, made, hosting)
    return _delete(made, live, hosting)


def _delete(made: Definitions, live: EndpointDescription, hosting: Hosting) -> tuple[tuple[str, ...], int]:
    try:
        hosting.delete_endpoint(made.endpoint_name)
    except Refused:
        # It began to change between the look and the call.
        return (), _WAIT_SECONDS
    return (f"endpoint {made.endpoint_name}",), _DELETING_SECONDS


def _move_back(previous: str | None, made: Definitions, hosting: Hosting) -> int:
    """An update that went in but fails its smoke test goes back to what served before."""
    if previous is None or hosting.describe_endpoint_config(previous) is None:
        return 0
    try:
        hosting.update_endpoint({"EndpointName": made.endpoint_name, "EndpointConfigName": previous})
    except Refused:
        return _WAIT_SECONDS
    return _WAIT_SECONDS


def _used_by(live: EndpointDescription, hosting: Hosting) -> set[str]:
    """The models of the config that serves: two configs of one endpoint may share a model, whose content is equal."""
    config = hosting.describe_endpoint_config(live.config_name) if live.config_name else None
    variants = (config or {}).get("ProductionVariants") or []
    pools = [pool for variant in variants for pool in variant.get("InstancePools") or []]
    names = [variant.get("ModelName") for variant in variants] + [pool.get("ModelNameOverride") for pool in pools]
    return {name for name in names if name}


def _remove_definitions(made: Definitions, used: set[str], hosting: Hosting) -> tuple[tuple[str, ...], tuple[str, ...]]:
    gone: list[str] = []
    left: list[str] = []
    removals = [(f"endpoint config {made.config_name}", hosting.delete_endpoint_config, made.config_name)]
    removals += [(f"model {name}", hosting.delete_model, name) for name in made.model_names if name not in used]
    for label, delete, name in removals:
        try:
            if delete(name):
                gone.append(label)
        except Refused as refusal:
            left.append(f"{label} ({refusal})")
    return tuple(gone), tuple(left)


def _all_names(made: Definitions) -> tuple[str, ...]:
    models = tuple(f"model {name}" for name in made.model_names)
    return (f"endpoint {made.endpoint_name}", f"endpoint config {made.config_name}", *models)
