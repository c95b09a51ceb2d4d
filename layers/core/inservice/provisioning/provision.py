"""Provision: model, endpoint config, endpoint; safe to repeat, because names carry a hash of their content."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from inservice.clock import Clock
from inservice.commands import Provision
from inservice.contracts import DeploymentRequest, Endpoint, Plan, Provisioned
from inservice.errors import InServiceError, Refused
from inservice.planning.environment import token_variables
from inservice.planning.names import log_group_of
from inservice.ports import Alarms, EndpointDescription, Hosting, Secrets
from inservice.provisioning.alarms import define_alarms, needs_alarms
from inservice.provisioning.definitions import VARIANT, Definitions, define
from inservice.provisioning.strategy import deployment_config

# A name in Deleting is free after 1 to 3 minutes; somebody else's update may take its hour, and is not waited for.
_WAIT_SECONDS, _MOST_WAITS = 15, 40
_BUSY = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


def provision(
    command: Provision,
    *,
    hosting: Hosting,
    alarms: Alarms,
    secrets: Secrets,
    execution_role_arn: str,
    clock: Clock,
    intend: Callable[[Endpoint], None],
    intended: Endpoint | None,
) -> Provisioned:
    """The endpoint under way, a refusal in SageMaker's words, or how long to wait until the name is free.

    `intend` is told what is about to be created or updated before SageMaker is, `intended` is what it was told first in
    this attempt: a function may die between the two, and its next run cannot see any more what there was before.
    """
    try:
        return _provision(command, hosting, alarms, secrets, execution_role_arn, clock, intend, intended)
    except Refused as refusal:
        return Provisioned(endpoint=None, refusal=str(refusal))


def _provision(
    command: Provision,
    hosting: Hosting,
    alarms: Alarms,
    secrets: Secrets,
    role_arn: str,
    clock: Clock,
    intend: Callable[[Endpoint], None],
    intended: Endpoint | None,
) -> Provisioned:
    request, plan = command.request, command.plan
    live = hosting.describe_endpoint(request.endpoint_name or "")
    wanted = define(
        request, plan, deployment_id=command.deployment_id, role_arn=role_arn, now=clock.now(),
        variant=_variant(live, hosting),
    )  # fmt: skip
    if live.config_name == wanted.config_name and live.status not in ("Failed", "Deleting"):
        under_way = _under_way(wanted, live, created=live.status == "Creating", clock=clock)
        begun = intended or under_way
        was = {"created": begun.created, "previous_config_name": begun.previous_config_name}
        return Provisioned(endpoint=under_way.model_copy(update=was))
    if live.status in _BUSY or live.pending:
        return _busy(command, live, wanted, clock)
    if live.status == "Failed":
        # A Failed endpoint serves nobody and holds the name; deleting is the only thing SageMaker allows.
        hosting.delete_endpoint(wanted.endpoint_name)
        return Provisioned(endpoint=None, wait_seconds=_WAIT_SECONDS, waiting_for="Deleting, having been Failed")
    if live.status == "UpdateRollbackFailed":
        raise Refused(f"endpoint {wanted.endpoint_name} is UpdateRollbackFailed: it serves a mix of two versions. "
                      "Delete it, or repair it with AWS support, before deploying to it")  # fmt: skip
    for model in wanted.models:
        hosting.create_model(_with_token(model, request, plan, secrets))
    hosting.create_endpoint_config(wanted.config)
    new = live.status == "Deleted"
    intend(_endpoint(wanted, live.arn or "", started_at=clock.now(), created=new, previous=live.config_name))
    if new:
        return Provisioned(endpoint=_create(wanted, hosting, clock))
    watching = _watching(command, wanted, alarms)
    return Provisioned(endpoint=_update(wanted, live, request, watching, hosting, clock))


def _variant(live: EndpointDescription, hosting: Hosting) -> str:
    """A live endpoint's variant keeps its name: SageMaker's guarded updates demand it, and so do its alarms."""
    config = hosting.describe_endpoint_config(live.config_name) if live.config_name else None
    variants = (config or {}).get("ProductionVariants") or [{}]
    return str(variants[0].get("VariantName") or VARIANT)


def _busy(command: Provision, live: EndpointDescription, wanted: Definitions, clock: Clock) -> Provisioned:
    if command.waits < _MOST_WAITS:
        return Provisioned(endpoint=None, wait_seconds=_WAIT_SECONDS, waiting_for=live.status)
    raise Refused(
        f"endpoint {wanted.endpoint_name} has been {live.status} for {_MOST_WAITS * _WAIT_SECONDS // 60} minutes, "
        "by a change that is not this deployment's. Wait until it has settled, then deploy again"
    )


def _with_token(model: dict[str, Any], request: DeploymentRequest, plan: Plan, secrets: Secrets) -> dict[str, Any]:
    """The hub token joins the environment here, in memory, on its way to CreateModel, and nowhere else."""
    if not request.hf_token_secret or "PrimaryContainer" not in model:
        return model
    try:
        token = secrets.read(request.hf_token_secret)
    except InServiceError as problem:
        raise Refused(f"the secret {request.hf_token_secret} cannot be read: {problem}") from None
    container = model["PrimaryContainer"]
    names = token_variables(plan.server, plan.server_version)
    variables = {**container["Environment"], **dict.fromkeys(names, token)}
    return {**model, "PrimaryContainer": {**container, "Environment": variables}}


def _watching(command: Provision, wanted: Definitions, alarms: Alarms) -> tuple[str, ...]:
    """The alarms that may undo the update: the user's, or ours, made now, where it would bake unwatched."""
    if not needs_alarms(command.request):
        return command.request.update.alarms
    made = define_alarms(wanted, command.deployment_id)
    for alarm in made:
        alarms.put(alarm)
    return tuple(str(alarm["AlarmName"]) for alarm in made)


def _create(wanted: Definitions, hosting: Hosting, clock: Clock) -> Endpoint:
    before = clock.now()
    arn = hosting.create_endpoint({**_naming(wanted), "Tags": wanted.tags})
    made = hosting.describe_endpoint(wanted.endpoint_name)
    return _endpoint(wanted, arn, started_at=made.created_at or before, created=True)


def _update(
    wanted: Definitions,
    live: EndpointDescription,
    request: DeploymentRequest,
    watching: tuple[str, ...],
    hosting: Hosting,
    clock: Clock,
) -> Endpoint:
    before = clock.now()
    arn = hosting.update_endpoint({**_naming(wanted), **deployment_config(request, watching)})
    return _endpoint(wanted, arn, started_at=before, created=False, previous=live.config_name)


def _naming(wanted: Definitions) -> dict[str, str]:
    return {"EndpointName": wanted.endpoint_name, "EndpointConfigName": wanted.config_name}


def _under_way(wanted: Definitions, live: EndpointDescription, *, created: bool, clock: Clock) -> Endpoint:
    """This very configuration is already there: an earlier run of this state, or nothing to change."""
    started = (live.created_at if created else live.modified_at) or clock.now()
    return _endpoint(wanted, live.arn or "", started_at=started, created=created, previous=live.served_config_name)


def _endpoint(
    wanted: Definitions, arn: str, *, started_at: datetime, created: bool, previous: str | None = None
) -> Endpoint:
    return Endpoint(
        endpoint_name=wanted.endpoint_name,
        endpoint_arn=arn,
        endpoint_config_name=wanted.config_name,
        model_names=wanted.model_names,
        variant_name=str(wanted.config["ProductionVariants"][0]["VariantName"]),
        created=created,
        previous_config_name=previous,
        log_group=log_group_of(wanted.endpoint_name),
        started_at=started_at,
    )
