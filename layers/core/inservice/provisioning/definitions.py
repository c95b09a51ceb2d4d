"""From the plan to SageMaker's own definitions of model, endpoint config and endpoint; pure, so that names repeat."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from inservice.contracts import DeploymentRequest, InstancePool, Plan
from inservice.planning.names import endpoint_name_for, resource_name

VARIANT = "AllTraffic"
DEPLOYMENT_TAG, ENDPOINT_TAG, EXPIRES_TAG = "inservice:deployment", "inservice:endpoint", "inservice:expires-at"


@dataclass(frozen=True)
class Definitions:
    """What is created, as SageMaker's CreateModel and CreateEndpointConfig take it; no token is in it."""

    endpoint_name: str
    models: tuple[dict[str, Any], ...]
    config: dict[str, Any]
    tags: list[dict[str, str]]

    @property
    def model_names(self) -> tuple[str, ...]:
        return tuple(model["ModelName"] for model in self.models)

    @property
    def config_name(self) -> str:
        return str(self.config["EndpointConfigName"])


def define(
    request: DeploymentRequest,
    plan: Plan,
    *,
    deployment_id: str,
    role_arn: str,
    now: datetime,
    variant: str = VARIANT,
) -> Definitions:
    """The definitions for one plan; the same plan always gets the same names."""
    name = endpoint_name_for(request)
    tags = tags_of(request, name, deployment_id, now)
    role = request.execution_role_arn or role_arn
    pools = plan.instance_pools or ()
    environments = [pool.environment for pool in pools] or [plan.environment]
    models = tuple(_model(request, plan, name, environment, role, tags) for environment in environments)
    # Two pools may need the very same environment; SageMaker has one model for both then.
    unique = {model["ModelName"]: model for model in models}
    return Definitions(name, tuple(unique.values()), _config(request, plan, name, models, pools, variant, tags), tags)


def _model(
    request: DeploymentRequest,
    plan: Plan,
    name: str,
    environment: dict[str, str],
    role: str,
    tags: list[dict[str, str]],
) -> dict[str, Any]:
    container = _container(request, plan, environment)
    content = {"container": container, "role": role, "token": request.hf_token_secret}
    definition: dict[str, Any] = {"ModelName": resource_name(name, content), "ExecutionRoleArn": role, "Tags": tags}
    if request.model.model_package_arn:
        return {**definition, "Containers": [container]}
    return {**definition, "PrimaryContainer": container}


def _container(request: DeploymentRequest, plan: Plan, environment: dict[str, str]) -> dict[str, Any]:
    if request.model.model_package_arn:
        return {"ModelPackageName": request.model.model_package_arn, "Environment": environment}
    container: dict[str, Any] = {"Image": plan.image_uri, "Environment": environment}
    if request.model.s3_uri:
        # An S3Prefix must end in a slash (SageMaker developer guide, "Deploying uncompressed models").
        prefix = request.model.s3_uri.rstrip("/") + "/"
        source = {"S3Uri": prefix, "S3DataType": "S3Prefix", "CompressionType": "None"}
        container["ModelDataSource"] = {"S3DataSource": source}
    return container


def _config(
    request: DeploymentRequest,
    plan: Plan,
    name: str,
    models: tuple[dict[str, Any], ...],
    pools: tuple[InstancePool, ...],
    variant_name: str,
    tags: list[dict[str, str]],
) -> dict[str, Any]:
    variant: dict[str, Any] = {
        "VariantName": variant_name,
        "ModelName": models[0]["ModelName"],
        "InitialInstanceCount": request.instance_count,
        "InitialVariantWeight": 1.0,
        "ContainerStartupHealthCheckTimeoutInSeconds": plan.health_check_timeout_seconds,
        "ModelDataDownloadTimeoutInSeconds": plan.download_timeout_seconds,
    }
    if plan.volume_size_gb:
        variant["VolumeSizeInGB"] = plan.volume_size_gb
    if plan.inference_ami_version:
        variant["InferenceAmiVersion"] = plan.inference_ami_version
    if pools:
        variant["InstancePools"] = [_pool(pool, models[at]) for at, pool in enumerate(pools)]
    else:
        variant["InstanceType"] = plan.instance_type
    return {"EndpointConfigName": resource_name(name, variant), "ProductionVariants": [variant], "Tags": tags}


def _pool(pool: InstancePool, model: dict[str, Any]) -> dict[str, Any]:
    return {"InstanceType": pool.instance_type, "Priority": pool.priority, "ModelNameOverride": model["ModelName"]}


def tags_of(request: DeploymentRequest, name: str, deployment_id: str, now: datetime) -> list[dict[str, str]]:
    """The user's tags and ours; the lease is counted from `now`."""
    ours = {DEPLOYMENT_TAG: deployment_id, ENDPOINT_TAG: name}
    if request.ttl_hours:
        ours[EXPIRES_TAG] = (now + timedelta(hours=request.ttl_hours)).isoformat()
    return [{"Key": key, "Value": value} for key, value in {**request.tags, **ours}.items()]
