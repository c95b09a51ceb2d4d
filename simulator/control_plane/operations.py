"""One call from validation to answer: faults first, then the operation, and a note of it all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.control_plane import endpoints, models, packages
from simulator.quotas import OPERATIONS as QUOTAS
from simulator.wire.errors import AwsError
from simulator.wire.services import Call

if TYPE_CHECKING:
    from simulator.simulation import Simulation

SAGEMAKER = {
    "CreateModel": models.create_model, "DescribeModel": models.describe_model, "DeleteModel": models.delete_model,
    "ListModels": models.list_models, "CreateEndpointConfig": models.create_config,
    "DescribeEndpointConfig": models.describe_config, "DeleteEndpointConfig": models.delete_config,
    "ListEndpointConfigs": models.list_configs, "CreateEndpoint": endpoints.create_endpoint,
    "UpdateEndpoint": endpoints.update_endpoint, "DescribeEndpoint": endpoints.describe_endpoint,
    "DeleteEndpoint": endpoints.delete_endpoint, "ListEndpoints": endpoints.list_endpoints,
    "UpdateEndpointWeightsAndCapacities": endpoints.update_weights, "AddTags": packages.add_tags,
    "ListTags": packages.list_tags, "DeleteTags": packages.delete_tags,
    "CreateModelPackageGroup": packages.create_group, "CreateModelPackage": packages.create_package,
    "DescribeModelPackage": packages.describe_package, "ListModelPackages": packages.list_packages,
    "UpdateModelPackage": packages.update_package,
}  # fmt: skip
_PLAYED = {"sagemaker": SAGEMAKER, "service-quotas": QUOTAS}


def perform(simulation: Simulation, call: Call) -> dict[str, Any]:
    """The operation's answer; AwsError for what AWS would refuse, or a fault wants refused."""
    action = _PLAYED[call.service].get(call.operation)
    if action is None:
        raise AwsError("UnknownOperationException", f"The simulator does not play {call.operation}")
    refuse_by_fault(simulation, call.operation, call.arguments.get("EndpointName"), call.caller.access_key_id)
    with simulation.lock:
        return action(simulation, call.arguments)


def refuse_by_fault(simulation: Simulation, operation: str, endpoint: str | None, caller: str) -> None:
    """Raises what `errors` and `denied` faults want for this call."""
    denied = simulation.faults.strike("denied", operation, endpoint)
    if denied:
        raise AwsError(
            "AccessDeniedException",
            f"User: {caller} is not authorized to perform: sagemaker:{operation} because no identity-based "
            f"policy allows "
            f"the sagemaker:{operation} action",
        )
    wrong = simulation.faults.strike("errors", operation, endpoint)
    if wrong:
        code = wrong.get("code", "ThrottlingException")
        raise AwsError(code, wrong.get("message", "Rate exceeded"), int(wrong.get("status", 400)))
