"""Models and endpoint configurations: immutable once made, checked when made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.beliefs.hardware import refuses_volume
from simulator.control_plane.listing import page
from simulator.wire.errors import validation

if TYPE_CHECKING:
    from simulator.simulation import Simulation

# Environment: at most 1024 bytes each (the shape says so) and 32 KB over all containers (CreateModel reference).
_MOST_ENVIRONMENT = 32 * 1024


def create_model(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """CreateModel: the containers are checked, the data must be readable now."""
    name = asked["ModelName"]
    if name.lower() in simulation.models:
        raise simulation.names.taken("model", name)
    containers = asked.get("Containers") or ([asked["PrimaryContainer"]] if "PrimaryContainer" in asked else [])
    if not containers or ("Containers" in asked and "PrimaryContainer" in asked):
        raise validation("You must provide either PrimaryContainer or Containers for CreateModel.")
    if asked.get("EnableNetworkIsolation") is None and not asked.get("ExecutionRoleArn"):
        raise validation("1 validation error detected: Value null at 'executionRoleArn' failed to satisfy constraint: "
                         "Member must not be null")  # fmt: skip
    for container in containers:
        _check_container(simulation, container, asked.get("ExecutionRoleArn", ""))
    _check_environment(containers)
    kept = {key: value for key, value in asked.items() if key != "Tags"}
    arn = simulation.names.arn("model", name)
    simulation.models[name.lower()] = {**kept, "ModelArn": arn, "CreationTime": simulation.clock.now()}
    simulation.tags[arn] = list(asked.get("Tags") or [])
    simulation.events.model(arn)
    return {"ModelArn": arn}


def describe_model(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DescribeModel: everything as given, environment in plain text included."""
    found = simulation.models.get(asked["ModelName"].lower())
    if found is None:
        raise simulation.names.missing("model", asked["ModelName"])
    return found


def delete_model(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DeleteModel: allowed even while an endpoint uses it."""
    arn = describe_model(simulation, asked)["ModelArn"]
    del simulation.models[asked["ModelName"].lower()]
    simulation.tags.pop(arn, None)
    simulation.events.model(arn)
    return {}


def list_models(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """ListModels."""
    return page("Models", list(simulation.models.values()), asked, "ModelName")


def create_config(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """CreateEndpointConfig: models must exist; volumes are refused on types with NVMe."""
    name = asked["EndpointConfigName"]
    if name.lower() in simulation.configs:
        raise simulation.names.taken("endpoint-config", name)
    variants = [*asked["ProductionVariants"], *(asked.get("ShadowProductionVariants") or [])]
    if len({variant["VariantName"] for variant in variants}) < len(variants):
        raise validation("Variant names must be unique within an endpoint configuration.")
    for variant in variants:
        _check_variant(simulation, variant)
    arn = simulation.names.arn("endpoint-config", name)
    kept = {key: value for key, value in asked.items() if key != "Tags"}
    simulation.configs[name.lower()] = {**kept, "EndpointConfigArn": arn, "CreationTime": simulation.clock.now()}
    simulation.tags[arn] = list(asked.get("Tags") or [])
    return {"EndpointConfigArn": arn}


def describe_config(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DescribeEndpointConfig."""
    return simulation.config(asked["EndpointConfigName"])


def delete_config(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DeleteEndpointConfig: allowed even while an endpoint uses it."""
    arn = simulation.config(asked["EndpointConfigName"])["EndpointConfigArn"]
    del simulation.configs[asked["EndpointConfigName"].lower()]
    simulation.tags.pop(arn, None)
    return {}


def list_configs(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """ListEndpointConfigs."""
    return page("EndpointConfigs", list(simulation.configs.values()), asked, "EndpointConfigName")


def _check_container(simulation: Simulation, container: dict[str, Any], role: str) -> None:
    if container.get("ModelPackageName"):
        simulation.package(container["ModelPackageName"])
    elif not container.get("Image"):
        raise validation("You must provide either Image or ModelPackageName for each container.")
    source = (container.get("ModelDataSource") or {}).get("S3DataSource")
    if source and container.get("ModelDataUrl"):
        raise validation("You cannot specify both ModelDataSource and ModelDataUrl for a container.")
    if source and source["S3DataType"] == "S3Prefix" and not source["S3Uri"].endswith("/"):
        raise validation(f"The S3Uri {source['S3Uri']} of type S3Prefix must end with a forward slash.")
    url = source["S3Uri"] if source else container.get("ModelDataUrl")
    readable = simulation.roles.problem(role) != "no_s3"
    if url and (not readable or simulation.objects.listing(url) is None):
        raise validation(
            f'Could not access model data at {url}. Please ensure that the role "{role}" exists and that its trust '
            'relationship policy allows the action "sts:AssumeRole" for the service principal '
            '"sagemaker.amazonaws.com". '
            f'Also ensure that the role has "s3:GetObject" permissions and that the object is located in '
            f"{simulation.settings.region}."
        )


def _check_environment(containers: list[dict[str, Any]]) -> None:
    pairs = [pair for container in containers for pair in (container.get("Environment") or {}).items()]
    if sum(len(key.encode()) + len(value.encode()) for key, value in pairs) > _MOST_ENVIRONMENT:
        raise validation("The total size of the environment variables of all containers must not exceed 32 KB.")


def _check_variant(simulation: Simulation, variant: dict[str, Any]) -> None:
    pools = variant.get("InstancePools") or []
    if pools and variant.get("InstanceType"):
        raise validation("Specify either InstanceType or InstancePools for a production variant, not both.")
    if not pools and not variant.get("InstanceType") and not variant.get("ServerlessConfig"):
        raise validation("Specify InstanceType, InstancePools or ServerlessConfig for a production variant.")
    names = [variant.get("ModelName"), *(pool.get("ModelNameOverride") for pool in pools)]
    for name in filter(None, names):
        describe_model(simulation, {"ModelName": name})
    if not variant.get("ModelName"):
        raise validation("Inference components are not played by this simulator: give ModelName for each variant.")
    scaling = variant.get("ManagedInstanceScaling")
    if scaling:
        raise validation("ManagedInstanceScaling is only supported for inference component endpoints.")
    types = [variant.get("InstanceType"), *(pool["InstanceType"] for pool in pools)]
    for kind in filter(None, types):
        if variant.get("VolumeSizeInGB") and refuses_volume(kind):
            raise validation(f"VolumeSize parameter is not allowed for the selected Instance type {kind}")
