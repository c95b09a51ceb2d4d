"""What the domain asks of the world; `adapters` answers on AWS, tests answer with small fakes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True)
class LogLine:
    """One line of the endpoint's log group; `at_ms` is the event's timestamp in Unix milliseconds."""

    at_ms: int
    stream: str
    message: str
    event_id: str = ""


@dataclass(frozen=True)
class EndpointDescription:
    """DescribeEndpoint, reduced to what decisions need; status Deleted when SageMaker no longer finds it.

    `config_name` is the config it serves or moves to; `served_config_name` the one it serves while it moves.
    """

    status: str
    config_name: str | None = None
    served_config_name: str | None = None
    failure_reason: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None
    pending: bool = False
    arn: str | None = None


class Hosting(Protocol):
    """SageMaker's control plane, as far as a deployment needs it.

    Raises `Refused` with SageMaker's words for what it will not do, `Unavailable` for throttles and 5xx.
    """

    def describe_endpoint(self, name: str) -> EndpointDescription: ...
    def describe_endpoint_config(self, name: str) -> dict[str, Any] | None: ...
    def describe_model(self, name: str) -> dict[str, Any] | None: ...
    def create_model(self, definition: dict[str, Any]) -> None: ...
    def create_endpoint_config(self, definition: dict[str, Any]) -> None: ...
    def create_endpoint(self, definition: dict[str, Any]) -> str: ...
    def update_endpoint(self, definition: dict[str, Any]) -> str: ...
    def delete_endpoint(self, name: str) -> None: ...
    def delete_endpoint_config(self, name: str) -> bool: ...
    def delete_model(self, name: str) -> bool: ...
    def tag_endpoint(self, arn: str, tags: list[dict[str, str]]) -> None: ...
    def untag_endpoint(self, arn: str, keys: tuple[str, ...]) -> None: ...


class Invocations(Protocol):
    """SageMaker's runtime: one request, one answer."""

    def invoke(self, endpoint_name: str, body: dict[str, Any]) -> Any: ...


class Logs(Protocol):
    """The endpoint's log group; an absent group is an answer (None), not a fault."""

    def read(self, log_group: str, since_ms: int, *, max_bytes: int) -> list[LogLine] | None: ...
    def read_both_ends(
        self, log_group: str, since_ms: int, *, max_bytes: int, keep: Callable[[LogLine], bool] | None = None
    ) -> list[LogLine] | None: ...


@dataclass(frozen=True)
class Peak:
    """The highest minute of one utilisation metric, in percent as SageMaker counts it (GPU figures over all GPUs)."""

    metric: str
    percent: float
    at: datetime


class Metrics(Protocol):
    """What a variant's instances used; a metric that has no value in that time is left out, and that is no fault."""

    def peaks(self, endpoint_name: str, variant_name: str, *, since: datetime, until: datetime) -> tuple[Peak, ...]: ...


class Secrets(Protocol):
    """Secret values, read at the last moment."""

    def read(self, name: str) -> str: ...


@dataclass(frozen=True)
class HubModel:
    """What the hub tells of a repository: `access` is ok, gated or missing; None means it could not be asked."""

    access: str | None = None
    config: dict[str, Any] | None = None
    weight_bytes: int | None = None


class Hub(Protocol):
    """The Hugging Face hub's metadata."""

    def describe(self, hub_id: str, revision: str | None, token: str | None) -> HubModel: ...


@dataclass(frozen=True)
class Package:
    """A model package's container: its image, and the environment that its maker gave it."""

    image_uri: str
    environment: dict[str, str]


class Packages(Protocol):
    """The model registry."""

    def describe(self, arn: str) -> Package | None: ...


@dataclass(frozen=True)
class Lookups:
    """What only a call can tell the planner; None wherever the call was not made or did not answer."""

    hub: HubModel | None = None
    quota: dict[str, int | None] = field(default_factory=dict)
    image_exists: bool | None = None
    package: Package | None = None
    unanswered: tuple[str, ...] = ()


class Quotas(Protocol):
    """Service Quotas for endpoint usage; None when the quota is not known."""

    def endpoint_instances(self, instance_type: str) -> int | None: ...


class Images(Protocol):
    """Whether a container image exists where the plan says; None when it cannot be asked."""

    def exists(self, image_uri: str) -> bool | None: ...


class Executions(Protocol):
    """The state machine: starting one execution per name, and stopping it."""

    def start(self, name: str, payload: dict[str, Any]) -> str: ...
    def stop(self, name: str, reason: str) -> None: ...
    def is_running(self, name: str) -> bool: ...


class Announcements(Protocol):
    """The topic that carries outcomes."""

    def publish(self, subject: str, message: str, attributes: dict[str, str]) -> None: ...


@dataclass(frozen=True)
class Lock:
    """Who holds an endpoint's name for deploying, and for which request; `mine` when the asker holds it."""

    owner: str
    request_hash: str
    mine: bool


class Deployments(Protocol):
    """The table: one flat record per deployment (name → JSON value), and one lock per endpoint."""

    def create(self, deployment_id: str, facts: dict[str, Any]) -> bool: ...
    def read(self, deployment_id: str) -> dict[str, Any] | None: ...
    def note(self, deployment_id: str, facts: dict[str, Any], first: dict[str, Any]) -> None: ...
    def newest(
        self, *, limit: int, token: str | None, where: dict[str, str]
    ) -> tuple[list[dict[str, Any]], str | None]: ...
    def lock(
        self, endpoint_name: str, owner: str, request_hash: str, *, now: float, expires_at: float, instead_of: str = ""
    ) -> Lock: ...
    def unlock(self, endpoint_name: str, owner: str) -> None: ...
    def enter(self, deployment_id: str, execution: str, mark: str) -> bool: ...
    def leave(self, deployment_id: str, mark: str) -> None: ...
    def take_over(self, deployment_id: str, execution: str) -> tuple[dict[str, Any], tuple[str, ...]] | None: ...


@dataclass(frozen=True)
class LiveEndpoint:
    """An endpoint's latest success, and what is wanted of it next; moments are ISO 8601 in UTC."""

    endpoint_name: str
    deployment_id: str
    deployed_at: str
    config_name: str
    request: dict[str, Any]
    plan: dict[str, Any]
    wanted: str = ""
    wanted_by: str = ""
    checked_at: str = ""


class LiveEndpoints(Protocol):
    """What is live, as far as this stack deployed it; each write may come twice, and an older one changes nothing."""

    def put(self, live: LiveEndpoint) -> None: ...
    def get(self, endpoint_name: str) -> LiveEndpoint | None: ...
    def every(self) -> list[LiveEndpoint]: ...
    def want(self, endpoint_name: str, package_arn: str, version: int, event_id: str) -> bool: ...
    def claim_recovery(self, endpoint_name: str, event_id: str, at: str, not_since: str) -> bool: ...
    def checked(self, endpoint_name: str, at: str) -> None: ...
    def remove(self, endpoint_name: str) -> None: ...


class DeadLetters(Protocol):
    """Where events go that cannot be followed."""

    def put(self, event: dict[str, Any], reason: str) -> None: ...


@dataclass(frozen=True, eq=False)
class Owned:
    """A resource that carries this project's tags: endpoint, endpoint config, model or alarm."""

    kind: str
    name: str
    tags: dict[str, str]
    created_at: datetime
    status: str = ""


class Alarms(Protocol):
    """CloudWatch's alarms of our own prefix: made for one update, removed after it."""

    def put(self, definition: dict[str, Any]) -> None: ...
    def delete(self, names: tuple[str, ...]) -> tuple[str, ...]: ...
    def owned(self) -> list[Owned]: ...


class Inventory(Protocol):
    """Everything on SageMaker that is ours, and the names of configs and models that any endpoint uses."""

    def owned(self) -> list[Owned]: ...
    def in_use(self) -> set[tuple[str, str]]: ...
