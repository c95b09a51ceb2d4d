"""Everything that makes up one simulated account, put together."""

from __future__ import annotations

import hashlib
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.aws.clients import Engine
from simulator.aws.events import Events
from simulator.aws.logs import Logs
from simulator.aws.metrics import Metrics
from simulator.aws.objects import Objects
from simulator.aws.roles import Alarms, Roles
from simulator.clock import Clock
from simulator.containers.launcher import Launcher
from simulator.control_plane.records import Endpoint, Names
from simulator.faults import Faults
from simulator.hub import Hub
from simulator.record import Record
from simulator.settings import Settings
from simulator.wire.errors import AwsError, validation


class Simulation:
    """The account's resources and the parts that play them; `url` is where it is served."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.url = settings, ""
        self.clock = Clock(settings.time_scale, settings.epoch)
        self.names = Names(settings.region, settings.account)
        self.lock, self.stopping = threading.RLock(), threading.Event()
        self.engine = Engine(settings.engine, settings.region) if settings.engine else None
        self.faults, self.record, self.hub = Faults(), Record(), Hub(settings.hub_token)
        self.logs, self.objects = Logs(self.engine, self.clock, self.faults), Objects(self.engine)
        self.roles, self.alarms = Roles(self.engine, self.faults), Alarms(self.engine, self.faults)
        self.events = Events(self.engine, self.clock, self.faults, settings.region, settings.account)
        self.launcher = Launcher()
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, Endpoint] = {}
        self.package_groups: dict[str, dict[str, Any]] = {}
        self.packages: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}
        self.images: dict[str, dict[str, Any]] = {}
        self.metrics = Metrics(self)

    def endpoint(self, name: str) -> Endpoint:
        """An endpoint by name in any case; raises Could not find."""
        found = self.endpoints.get(name.lower())
        if found is None or self._not_yet_visible(found.created):
            raise self.names.missing("endpoint", name)
        return found

    def config(self, name: str) -> dict[str, Any]:
        """A configuration by name; raises Could not find, also for a moment after it was made if lag is asked for."""
        found = self.configs.get(name.lower())
        if found is None or self._not_yet_visible(found["CreationTime"]):
            raise self.names.missing("endpoint-config", name)
        return found

    def package(self, arn: str) -> dict[str, Any]:
        """A model package by ARN."""
        found = self.packages.get(arn) or self.packages.get(arn.lower())
        if found is None:
            raise validation(f"ModelPackage {arn} does not exist.")
        return found

    def container_of(self, model: dict[str, Any]) -> dict[str, Any]:
        """A model's first container, with what its package provides."""
        container = model.get("PrimaryContainer") or model["Containers"][0]
        if not container.get("ModelPackageName"):
            return container
        try:
            package = self.package(container["ModelPackageName"])
        except AwsError:
            return {"Image": "", **container}
        inside = package["InferenceSpecification"]["Containers"][0]
        merged = {**(inside.get("Environment") or {}), **(container.get("Environment") or {})}
        return {**inside, **container, "Environment": merged}

    def quota(self, kind: str) -> int:
        """Instances of that type the account may have behind endpoints."""
        return int(self.faults.value("quota", kind, self.settings.default_quota))

    def registry_has(self, uri: str) -> bool:
        """Whether the engine's own registry holds an image."""
        repository, _, tag = uri.split("/", 1)[-1].rpartition(":")
        if not self.engine or not repository:
            return False
        try:
            self.engine.client("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])
        except (ClientError, BotoCoreError):
            return False
        return True

    def digest(self, image: str) -> str:
        """A digest for an image, always the same."""
        return hashlib.sha256(image.encode()).hexdigest()

    def stop(self) -> None:
        """Ends every container, then sends what is still queued."""
        self.stopping.set()
        with self.lock:
            fleets = [fleet for one in self.endpoints.values() for fleet in (one.fleet, one.pending_fleet) if fleet]
        for fleet in fleets:
            fleet.abandon()
        self.launcher.stop()
        self.metrics.stop()
        self.events.stop()
        self.logs.stop()

    def _not_yet_visible(self, made: float) -> bool:
        return self.clock.now() - made < float(self.faults.value("lag_seconds"))
