"""SageMaker hosting: models, endpoint configs and endpoints, what is refused when, and in which words."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from simulator.clock import Clock
from simulator.deploying import deploy, remove
from simulator.engine import Engine
from simulator.protocol import Refusal, check
from simulator.running import Container
from simulator.world import has_nvme

ACCOUNT = "000000000000"
_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack")


@dataclass
class Endpoint:
    """An endpoint's standing; `config` is what serves, `pending` what it is moving to."""

    name: str
    arn: str
    status: str
    config: str
    created: float
    modified: float
    pending: str | None = None
    reason: str | None = None
    container: Container | None = None
    tags: list[dict[str, str]] = field(default_factory=list)


class Hosting:
    """The service's state and its operations."""

    def __init__(self, clock: Clock, engine: Engine, region: str, hub_token: str) -> None:
        self.clock, self.engine, self.region, self.hub_token = clock, engine, region, hub_token
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.calls: list[dict[str, Any]] = []
        self.faults: dict[str, Any] = {"capacity": {}, "quota": {}}
        self.lock = threading.RLock()
        self.stopping = threading.Event()

    def call(self, operation: str, given: Any, caller: str) -> dict[str, Any]:
        """One operation of the control plane; Refusal for what SageMaker refuses."""
        try:
            asked = check("sagemaker", operation, given)
            action = OPERATIONS.get(operation)
            if action is None:
                raise Refusal(f"{operation} is not played by this simulator", "UnknownOperationException", 404)
            with self.lock:
                answer: dict[str, Any] = action(self, asked)
            self._note(operation, given, caller, "ok")
            return answer
        except Refusal as refusal:
            self._note(operation, given, caller, refusal.message)
            raise

    def arn(self, kind: str, name: str) -> str:
        """A resource's ARN, in lower case as SageMaker keeps it."""
        return f"arn:aws:sagemaker:{self.region}:{ACCOUNT}:{kind}/{name.lower()}"

    def stop(self) -> None:
        """Ends every container and thread."""
        self.stopping.set()
        for endpoint in list(self.endpoints.values()):
            if endpoint.container:
                endpoint.container.stop()
        self.engine.stop()

    def _note(self, operation: str, given: Any, caller: str, outcome: str) -> None:
        named = {k: v for k, v in (given or {}).items() if k.endswith("Name")} if isinstance(given, dict) else {}
        self.calls.append(
            {"at": self.clock.now(), "operation": operation, "caller": caller, **named, "outcome": outcome}
        )


def _create_model(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    name = asked["ModelName"]
    if name.lower() in hosting.models:
        raise Refusal(f'Cannot create already existing model "{hosting.arn("model", name)}".')
    hosting.models[name.lower()] = {
        **asked,
        "CreationTime": hosting.clock.now(),
        "ModelArn": hosting.arn("model", name),
    }
    return {"ModelArn": hosting.arn("model", name)}


def _create_config(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    name, arn = asked["EndpointConfigName"], hosting.arn("endpoint-config", asked["EndpointConfigName"])
    if name.lower() in hosting.configs:
        raise Refusal(f'Cannot create already existing endpoint configuration "{arn}".')
    for variant in asked["ProductionVariants"]:
        model = variant.get("ModelName", "")
        if model.lower() not in hosting.models:
            raise Refusal(f'Could not find model "{hosting.arn("model", model)}".')
        kind = variant.get("InstanceType", "")
        if variant.get("VolumeSizeInGB") and has_nvme(kind):
            raise Refusal(f"VolumeSize parameter is not allowed for the selected Instance type {kind}")
        if variant.get("InstancePools") and kind:
            raise Refusal("Specify either InstanceType or InstancePools for a production variant, not both.")
    kept = {key: value for key, value in asked.items() if key != "Tags"}
    hosting.configs[name.lower()] = {**kept, "EndpointConfigArn": arn, "CreationTime": hosting.clock.now()}
    return {"EndpointConfigArn": arn}


def _create_endpoint(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    name, arn = asked["EndpointName"], hosting.arn("endpoint", asked["EndpointName"])
    if name.lower() in hosting.endpoints:
        raise Refusal(f'Cannot create already existing endpoint "{arn}".')
    config = _config(hosting, asked["EndpointConfigName"])
    _within_quota(hosting, config)
    now = hosting.clock.now()
    made = Endpoint(name, arn, "Creating", config["EndpointConfigName"], now, now, tags=asked.get("Tags") or [])
    hosting.endpoints[name.lower()] = made
    _begin(deploy, hosting, made, config)
    return {"EndpointArn": arn}


def _update_endpoint(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    endpoint = _endpoint(hosting, asked["EndpointName"])
    if endpoint.status in (*_IN_PROGRESS, "Deleting"):
        raise Refusal(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint.status == "Failed":
        raise Refusal(f'Cannot update failed endpoint "{endpoint.arn}".')
    if asked["EndpointConfigName"].lower() == endpoint.config.lower():
        raise Refusal(f'Cannot update endpoint with the currently in use endpoint configuration "{endpoint.config}".')
    config = _config(hosting, asked["EndpointConfigName"])
    # Blue/green: the new fleet comes up before the old one goes, so both count against the quota.
    _within_quota(hosting, config)
    endpoint.status, endpoint.pending, endpoint.reason = "Updating", config["EndpointConfigName"], None
    endpoint.modified = hosting.clock.now()
    _begin(deploy, hosting, endpoint, config)
    return {"EndpointArn": endpoint.arn}


def _delete_endpoint(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    endpoint = _endpoint(hosting, asked["EndpointName"])
    if endpoint.status in _IN_PROGRESS:
        raise Refusal(f'Cannot update in-progress endpoint "{endpoint.arn}".')
    if endpoint.status != "Deleting":
        endpoint.status, endpoint.modified = "Deleting", hosting.clock.now()
        _begin(remove, hosting, endpoint)
    return {}


def _describe_endpoint(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    endpoint = _endpoint(hosting, asked["EndpointName"])
    found: dict[str, Any] = {
        "EndpointName": endpoint.name, "EndpointArn": endpoint.arn, "EndpointConfigName": endpoint.config,
        "EndpointStatus": endpoint.status, "CreationTime": endpoint.created, "LastModifiedTime": endpoint.modified,
    }  # fmt: skip
    if endpoint.reason:
        found["FailureReason"] = endpoint.reason
    if endpoint.pending:
        found["PendingDeploymentSummary"] = {"EndpointConfigName": endpoint.pending, "StartTime": endpoint.modified}
    config = hosting.configs.get(endpoint.config.lower())
    if config and endpoint.status not in ("Failed", "Creating"):
        found["ProductionVariants"] = [_variant(hosting, variant) for variant in config["ProductionVariants"]]
    return found


def _variant(hosting: Hosting, variant: dict[str, Any]) -> dict[str, Any]:
    model = hosting.models.get(variant.get("ModelName", "").lower()) or {}
    image = (model.get("PrimaryContainer") or {}).get("Image")
    count = variant.get("InitialInstanceCount", 1)
    found = {"VariantName": variant["VariantName"], "CurrentWeight": 1.0, "DesiredWeight": 1.0,
             "CurrentInstanceCount": count, "DesiredInstanceCount": count}  # fmt: skip
    return {**found, "DeployedImages": [{"SpecifiedImage": image}]} if image else found


def _describe_config(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    return _config(hosting, asked["EndpointConfigName"])


def _describe_model(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    found = hosting.models.get(asked["ModelName"].lower())
    if found is None:
        raise Refusal(f'Could not find model "{hosting.arn("model", asked["ModelName"])}".')
    return {key: value for key, value in found.items() if key != "Tags"}


def _delete_config(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    _config(hosting, asked["EndpointConfigName"])
    del hosting.configs[asked["EndpointConfigName"].lower()]
    return {}


def _delete_model(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    _describe_model(hosting, asked)
    del hosting.models[asked["ModelName"].lower()]
    return {}


def _list_endpoints(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    rows = [{"EndpointName": e.name, "EndpointArn": e.arn, "CreationTime": e.created, "LastModifiedTime": e.modified,
             "EndpointStatus": e.status} for e in hosting.endpoints.values()]  # fmt: skip
    return _page("Endpoints", rows, asked)


def _list_configs(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    keys = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
    return _page("EndpointConfigs", [{k: c[k] for k in keys} for c in hosting.configs.values()], asked)


def _list_models(hosting: Hosting, asked: dict[str, Any]) -> dict[str, Any]:
    keys = ("ModelName", "ModelArn", "CreationTime")
    return _page("Models", [{k: m[k] for k in keys} for m in hosting.models.values()], asked)


def _page(key: str, rows: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    rows = sorted(rows, key=lambda row: -row["CreationTime"])
    token = asked.get("NextToken") or "0"
    if not token.isdigit():
        raise Refusal("The provided NextToken is not valid.")
    begin, size = int(token), asked.get("MaxResults") or 10
    more = {"NextToken": str(begin + size)} if begin + size < len(rows) else {}
    return {key: rows[begin : begin + size], **more}


def _endpoint(hosting: Hosting, name: str) -> Endpoint:
    found = hosting.endpoints.get(name.lower())
    if found is None:
        raise Refusal(f'Could not find endpoint "{hosting.arn("endpoint", name)}".')
    return found


def _config(hosting: Hosting, name: str) -> dict[str, Any]:
    found = hosting.configs.get(name.lower())
    if found is None:
        raise Refusal(f'Could not find endpoint configuration "{hosting.arn("endpoint-config", name)}".')
    return found


def _within_quota(hosting: Hosting, config: dict[str, Any]) -> None:
    for variant in config["ProductionVariants"]:
        kind, wanted = variant.get("InstanceType"), variant.get("InitialInstanceCount", 1)
        quota = hosting.faults["quota"].get(kind)
        if quota is None:
            continue
        used = sum(_instances(hosting, endpoint, kind) for endpoint in hosting.endpoints.values())
        if used + wanted > quota:
            raise Refusal(
                f"The account-level service limit '{kind} for endpoint usage' is {quota} Instances, with current "
                f"utilization of {used} Instances and a request delta of {wanted} Instances. Please use AWS "
                f"Service Quotas "
                "to request an increase for this quota.",
                "ResourceLimitExceeded",
            )


def _instances(hosting: Hosting, endpoint: Endpoint, kind: str) -> int:
    names = [endpoint.config] + ([endpoint.pending] if endpoint.pending else [])
    variants = [v for name in names for v in hosting.configs.get(name.lower(), {}).get("ProductionVariants", [])]
    return sum(v.get("InitialInstanceCount", 1) for v in variants if v.get("InstanceType") == kind)


def _begin(work: Any, *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, daemon=True).start()


OPERATIONS = {
    "CreateModel": _create_model,
    "DescribeModel": _describe_model,
    "DeleteModel": _delete_model,
    "ListModels": _list_models,
    "CreateEndpointConfig": _create_config,
    "DescribeEndpointConfig": _describe_config,
    "DeleteEndpointConfig": _delete_config,
    "ListEndpointConfigs": _list_configs,
    "CreateEndpoint": _create_endpoint,
    "UpdateEndpoint": _update_endpoint,
    "DescribeEndpoint": _describe_endpoint,
    "DeleteEndpoint": _delete_endpoint,
    "ListEndpoints": _list_endpoints,
}
