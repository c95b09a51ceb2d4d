"""The functions' ports as small fakes: a table in memory, an announcing topic, a hosting that is told what it has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.contracts import DeploymentRequest
from inservice.deployments.journal import Journal
from inservice.deployments.outcome import Links
from inservice.errors import Refused
from inservice.planning import plan_document
from inservice.ports import EndpointDescription, LiveEndpoint, Lock, Owned

EVENTS = Path(__file__).parents[2] / "events"
ROLE = "arn:aws:iam::000000000000:role/container"


class Table:
    """Deployments in memory, with the same rules as the real table."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.locks: dict[str, Lock] = {}
        self.executions: dict[str, str] = {}
        self.marks: dict[str, list[str]] = {}

    def create(self, deployment_id: str, facts: dict[str, Any]) -> bool:
        if deployment_id in self.items:
            return False
        self.items[deployment_id] = json.loads(json.dumps(facts))
        return True

    def read(self, deployment_id: str) -> dict[str, Any] | None:
        return self.items.get(deployment_id)

    def note(self, deployment_id: str, facts: dict[str, Any], first: dict[str, Any]) -> None:
        item = self.items.setdefault(deployment_id, {})
        item.update(json.loads(json.dumps(facts)))
        for name, value in first.items():
            item.setdefault(name, json.loads(json.dumps(value)))

    def newest(
        self, *, limit: int, token: str | None, where: dict[str, str]
    ) -> tuple[list[dict[str, Any]], str | None]:
        found = [{"deployment_id": key, **item} for key, item in self.items.items()]
        return [f for f in found if all(f.get(k) == v for k, v in where.items())][:limit], None

    def lock(
        self, endpoint_name: str, owner: str, request_hash: str, *, now: float, expires_at: float, instead_of: str = ""
    ) -> Lock:
        held = self.locks.get(endpoint_name)
        if held is None or held.owner in (owner, instead_of):
            self.locks[endpoint_name] = Lock(owner, request_hash, mine=True)
            return self.locks[endpoint_name]
        return Lock(held.owner, held.request_hash, mine=False)

    def unlock(self, endpoint_name: str, owner: str) -> None:
        if endpoint_name in self.locks and self.locks[endpoint_name].owner == owner:
            del self.locks[endpoint_name]

    def enter(self, deployment_id: str, execution: str, mark: str) -> bool:
        if self.executions.setdefault(deployment_id, execution) != execution:
            return False
        self.marks.setdefault(deployment_id, []).append(mark)
        return True

    def leave(self, deployment_id: str, mark: str) -> None:
        self.marks[deployment_id].remove(mark)

    def take_over(self, deployment_id: str, execution: str) -> tuple[dict[str, Any], tuple[str, ...]] | None:
        if deployment_id not in self.items:
            return None
        self.executions[deployment_id] = execution
        return self.items[deployment_id], tuple(self.marks.get(deployment_id, ()))


class LiveEndpoints:
    """Live endpoints in memory, with the same rules as the real table."""

    def __init__(self) -> None:
        self.found: dict[str, LiveEndpoint] = {}
        self.versions: dict[str, tuple[int, str]] = {}
        self.recoveries: dict[str, tuple[str, str]] = {}

    def put(self, live: LiveEndpoint) -> None:
        held = self.found.get(live.endpoint_name)
        if held is None or held.deployed_at <= live.deployed_at:
            kept = {"wanted": held.wanted, "wanted_by": held.wanted_by} if held else {}
            self.found[live.endpoint_name] = replace(live, **kept)

    def get(self, endpoint_name: str) -> LiveEndpoint | None:
        return self.found.get(endpoint_name)

    def every(self) -> list[LiveEndpoint]:
        return list(self.found.values())

    def want(self, endpoint_name: str, package_arn: str, version: int, event_id: str) -> bool:
        held, by = self.versions.get(endpoint_name, (0, ""))
        if version <= held and by != event_id:
            return False
        self.versions[endpoint_name] = (version, event_id)
        self.found[endpoint_name] = replace(self.found[endpoint_name], wanted=package_arn, wanted_by=event_id)
        return True

    def claim_recovery(self, endpoint_name: str, event_id: str, at: str, not_since: str) -> bool:
        last, by = self.recoveries.get(endpoint_name, ("", ""))
        if last >= not_since and by != event_id:
            return False
        self.recoveries[endpoint_name] = (at, event_id)
        return True

    def checked(self, endpoint_name: str, at: str) -> None:
        self.found[endpoint_name] = replace(self.found[endpoint_name], checked_at=at)

    def remove(self, endpoint_name: str) -> None:
        self.found.pop(endpoint_name, None)


class DeadLetters:
    """What could not be followed, and why."""

    def __init__(self) -> None:
        self.letters: list[tuple[dict[str, Any], str]] = []

    def put(self, event: dict[str, Any], reason: str) -> None:
        self.letters.append((event, reason))


@dataclass
class Hosting:
    """SageMaker as far as one endpoint goes; every call is kept in `asked`."""

    endpoint: EndpointDescription = field(default_factory=lambda: EndpointDescription(status="Deleted"))
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def describe_endpoint(self, name: str) -> EndpointDescription:
        return self.endpoint

    def describe_endpoint_config(self, name: str) -> dict[str, Any] | None:
        return self.configs.get(name)

    def describe_model(self, name: str) -> dict[str, Any] | None:
        return self.models.get(name)

    def create_model(self, definition: dict[str, Any]) -> None:
        self.asked.append("create_model")
        self.models[definition["ModelName"]] = definition

    def create_endpoint_config(self, definition: dict[str, Any]) -> None:
        self.asked.append("create_endpoint_config")
        self.configs[definition["EndpointConfigName"]] = definition

    def create_endpoint(self, definition: dict[str, Any]) -> str:
        self.asked.append("create_endpoint")
        if self.endpoint.status != "Deleted":
            raise Refused('Cannot create already existing endpoint "arn".')
        now = datetime.now(UTC)
        self.endpoint = EndpointDescription("Creating", definition["EndpointConfigName"], created_at=now, arn="arn:e")
        return "arn:e"

    def update_endpoint(self, definition: dict[str, Any]) -> str:
        self.asked.append("update_endpoint")
        self.updates.append(definition)
        now = datetime.now(UTC)
        self.endpoint = EndpointDescription("Updating", definition["EndpointConfigName"], modified_at=now, arn="arn:e")
        return "arn:e"

    def tag_endpoint(self, arn: str, tags: list[dict[str, str]]) -> None:
        self.tags |= {tag["Key"]: tag["Value"] for tag in tags}

    def untag_endpoint(self, arn: str, keys: tuple[str, ...]) -> None:
        for key in keys:
            self.tags.pop(key, None)

    def delete_endpoint(self, name: str) -> None:
        self.asked.append("delete_endpoint")
        if self.endpoint.status in ("Creating", "Updating"):
            raise Refused('Cannot update in-progress endpoint "arn".')
        self.endpoint = EndpointDescription("Deleting", self.endpoint.config_name)

    def delete_endpoint_config(self, name: str) -> bool:
        self.asked.append("delete_endpoint_config")
        return self.configs.pop(name, None) is not None

    def delete_model(self, name: str) -> bool:
        self.asked.append("delete_model")
        return self.models.pop(name, None) is not None


class Alarms:
    """CloudWatch's alarms by name, with the definitions they were put with."""

    def __init__(self) -> None:
        self.there: dict[str, dict[str, Any]] = {}

    def put(self, definition: dict[str, Any]) -> None:
        self.there[definition["AlarmName"]] = definition

    def delete(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if self.there.pop(name, None))

    def owned(self) -> list[Owned]:
        long_ago = datetime(2026, 1, 1, tzinfo=UTC)
        tags = {name: {t["Key"]: t["Value"] for t in found["Tags"]} for name, found in self.there.items()}
        return [Owned("alarm", name, tags[name], long_ago) for name in self.there]


class Topic:
    """What was announced."""

    def __init__(self) -> None:
        self.said: list[dict[str, str]] = []

    def publish(self, subject: str, message: str, attributes: dict[str, str]) -> None:
        self.said.append(attributes)


class Secrets:
    """One secret."""

    def read(self, name: str) -> str:
        return "hf_canary"


@pytest.fixture
def request_() -> DeploymentRequest:
    return DeploymentRequest.model_validate(json.loads((EVENTS / "api-llama3-8b.json").read_text()))


@pytest.fixture
def plan(request_: DeploymentRequest) -> Any:
    return plan_document(request_.as_json()).plan


@pytest.fixture
def table(request_: DeploymentRequest) -> Table:
    made = Table()
    facts = {"endpoint_name": request_.endpoint_name, "status": "IN_PROGRESS", "phase": "queued",
             "request": request_.as_json(), "created_at": "2026-01-01T00:00:00+00:00"}  # fmt: skip
    made.create("d-1", facts)
    return made


@pytest.fixture
def live() -> LiveEndpoints:
    return LiveEndpoints()


@pytest.fixture
def dead_letters() -> DeadLetters:
    return DeadLetters()


@pytest.fixture
def journal(table: Table) -> Journal:
    return Journal(table, Clock(), Links("us-east-1"))


@pytest.fixture
def hosting() -> Hosting:
    return Hosting()


@pytest.fixture
def alarms() -> Alarms:
    return Alarms()


@pytest.fixture
def topic() -> Topic:
    return Topic()


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()
