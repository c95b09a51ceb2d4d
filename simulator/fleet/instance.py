"""One instance: found, image pulled, data fetched, container started and pinged until it answers or time is up."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from simulator.beliefs import durations
from simulator.beliefs.hardware import Hardware, hardware
from simulator.beliefs.images import Image, host_can_start, image
from simulator.containers.launcher import Running
from simulator.fleet import reasons
from simulator.serving.situation import Machine, Situation

if TYPE_CHECKING:
    from simulator.simulation import Simulation

# Virtual seconds. A capacity failure took about 31 min in public logs, each of several pools about 5, a container
# that cannot start about 6. Pings come every 5 s (aws-neuron-sdk issue 426). When and how often an exited container
# is started again is not documented. A default window of 8 min is the developer guide's.
_CAPACITY_SECONDS, _POOL_SECONDS, _CAPACITY_LOOK = 1860.0, 300.0, 30.0
_CANNOT_START_SECONDS = 330.0
_PING_SECONDS, _RESTART_SECONDS = 5.0, 12.0
# A container that serves is pinged at most this often in wall seconds, however fast virtual time passes.
_LEAST_WALL_SECONDS = 1.0
_DEFAULT_WINDOW, _DEFAULT_DOWNLOAD = 480.0, 3600.0
# Containers remembered for the metrics of the minutes they ran in.
_KEPT_RUNS = 20


@dataclass(frozen=True)
class Assignment:
    """What an instance is to run: variant and model of a configuration, and which one of how many it is."""

    endpoint: str
    config: str
    variant: dict[str, Any]
    number: int


class Instance:
    """An instance of a variant; `ready` says whether its container answers pings."""

    def __init__(self, simulation: Simulation, assignment: Assignment) -> None:
        self.simulation, self.assignment = simulation, assignment
        self.variant = assignment.variant["VariantName"]
        self.identity = "i-" + hashlib.sha256(repr((assignment.endpoint, assignment.config, self.variant,
                                                    assignment.number)).encode()).hexdigest()[:17]  # fmt: skip
        self.gone = threading.Event()
        self.ready = threading.Event()
        self.instance_type: str | None = None
        self.situation: Situation | None = None
        self.image: str | None = None
        self.running: Running | None = None
        self.runs: deque[Running] = deque(maxlen=_KEPT_RUNS)
        self._crashed_ready = False

    def bring_up(self) -> str | None:
        """Works until the container serves; returns SageMaker's reason where it does not come to that."""
        pool = self._provision()
        if pool is None:
            return reasons.CAPACITY
        model = self.simulation.models.get((pool.get("model") or self.assignment.variant["ModelName"]).lower())
        self.instance_type = pool["type"]
        machine = hardware(self.instance_type)
        if model is None or machine is None:
            return reasons.cannot_start(self.variant)
        container = self.simulation.container_of(model)
        self.image = container["Image"]
        inside = image(container["Image"], self.simulation.images)
        return self._unstartable(model, container, inside) or self._start(model, container, inside, machine)

    def stop(self) -> None:
        """Ends the container for good."""
        self.gone.set()
        self.ready.clear()
        if self.running:
            self.running.stop()

    def _key(self) -> str:
        place = self.assignment
        return f"{self.simulation.settings.seed}:{place.endpoint}:{place.config}:{self.variant}:{place.number}"

    def _wait(self, seconds: float) -> bool:
        clock = self.simulation.clock
        return clock.wait_until(clock.now() + seconds, self.gone)

    def _provision(self) -> dict[str, Any] | None:
        """The first pool with capacity, after the time that finding it takes; None when none has any."""
        variant = self.assignment.variant
        pools = [
            {"type": pool["InstanceType"], "model": pool.get("ModelNameOverride")}
            for pool in sorted(variant.get("InstancePools") or [], key=lambda pool: pool["Priority"])
        ] or [{"type": variant["InstanceType"], "model": None}]
        alone = _CAPACITY_SECONDS if len(pools) == 1 else _POOL_SECONDS
        patience = float(variant.get("VariantInstanceProvisionTimeoutInSeconds") or alone)
        for pool in pools:
            if self._capacity(pool["type"], patience):
                self._wait(durations.provisioning(self._key()))
                return pool
        return None

    def _capacity(self, instance_type: str, patience: float) -> bool:
        clock, faults = self.simulation.clock, self.simulation.faults
        until = clock.now() + patience
        while not self.gone.is_set():
            left = faults.value("capacity", instance_type)
            if left is None or left >= self.assignment.number:
                return True
            if clock.now() >= until:
                return False
            clock.wait_until(min(until, clock.now() + _CAPACITY_LOOK), self.gone)
        return False

    def _unstartable(self, model: dict[str, Any], container: dict[str, Any], inside: Image) -> str | None:
        """The reasons that leave no log group, each after its time."""
        role = model.get("ExecutionRoleArn") or ""
        problem = self.simulation.roles.problem(role)
        if problem in ("missing", "untrusted"):
            return self._after(60, reasons.bad_role(role))
        if not inside.exists and not self.simulation.registry_has(inside.uri):
            return self._after(60, reasons.no_image(self.variant))
        if problem == "no_ecr":
            return self._after(60, reasons.no_pull(role, container["Image"]))
        ami = self.assignment.variant.get("InferenceAmiVersion")
        if not host_can_start(inside.cuda, ami) or inside.server is None:
            return self._after(_CANNOT_START_SECONDS, reasons.cannot_start(self.variant))
        return None

    def _after(self, seconds: float, reason: str) -> str:
        self._wait(seconds)
        return reason

    def _start(self, model: dict[str, Any], container: dict[str, Any], inside: Image, machine: Hardware) -> str | None:
        self._wait(durations.image_pull(self._key()))
        local, problem = self._model_data(container)
        if problem:
            return problem
        found = self.simulation.images.get(inside.uri, {})
        self.situation = Situation(
            server=inside.server or "", version=inside.version, engine_version=inside.engine_version,
            cuda=inside.cuda or (12, 4), environment=dict(container.get("Environment") or {}),
            machine=machine_of(machine, self.assignment.variant.get("VolumeSizeInGB")),
            hub_url=self.simulation.url, started_at=0.0, time_scale=self.simulation.clock.scale,
            epoch=self.simulation.clock.epoch, isolated=bool(model.get("EnableNetworkIsolation")), local=local,
            command=tuple(found.get("command") or ("serve",)),
        )  # fmt: skip
        window = self.assignment.variant.get("ContainerStartupHealthCheckTimeoutInSeconds") or _DEFAULT_WINDOW
        if not self._until_ready(float(window)):
            self.stop()
            return reasons.ping(self.variant)
        threading.Thread(target=self._keep_up, daemon=True).start()
        return None

    def _model_data(self, container: dict[str, Any]) -> tuple[dict[str, Any] | None, str | None]:
        """What lands in /opt/ml/model, or the reason why nothing does."""
        url = _data_url(container)
        if url is None:
            return None, None
        listing = self.simulation.objects.listing(url)
        if listing is None:
            return None, self._after(90, reasons.no_model_data(url))
        gib = sum(listing["files"].values()) / 2**30
        needed = durations.s3_download(gib, self.instance_type or "")
        variant = self.assignment.variant
        window = float(variant.get("ModelDataDownloadTimeoutInSeconds") or _DEFAULT_DOWNLOAD)
        room = hardware(self.instance_type or "").disk_gb(variant.get("VolumeSizeInGB"))  # type: ignore[union-attr]
        if needed > window or gib * 1.0737 > room:
            return None, self._after(min(needed, window), reasons.no_model_data(url))
        self._wait(needed)
        return listing, None

    def _until_ready(self, window: float) -> bool:
        """Starts the container, again after every exit, until a ping is answered or the window ends."""
        clock = self.simulation.clock
        ends = clock.now() + window
        self._launch()
        while not self.gone.is_set() and clock.now() < ends:
            running = self.running
            if running is None or running.exited.is_set():
                if clock.wait_until(min(ends, clock.now() + _RESTART_SECONDS), self.gone) or clock.now() >= ends:
                    return False
                self._launch()
            elif running.healthy():
                self.ready.set()
                return True
            wake = running.exited if running and not running.exited.is_set() else self.gone
            clock.wait_until(min(ends, clock.now() + _PING_SECONDS), wake)
        return False

    def _launch(self) -> None:
        if self.gone.is_set():
            return
        assert self.situation is not None
        place, simulation = self.assignment, self.simulation
        replay = simulation.faults.strike("replay", "*", place.endpoint)
        dies = simulation.faults.strike("dies", "*", place.endpoint)
        situation = replace(
            self.situation, started_at=simulation.clock.now(), replay=replay,
            dies_after=float(dies["after_seconds"]) if dies else None,
        )  # fmt: skip
        group, stream = f"/aws/sagemaker/Endpoints/{place.endpoint}", f"{self.variant}/{self.identity}"

        def hear(line: str) -> None:
            moment = simulation.clock.now()
            simulation.logs.add(group, stream, int(moment * 1000), line)
            simulation.record.hear(place.endpoint, moment, line)

        self.running = simulation.launcher.launch(situation, hear)
        self.runs.append(self.running)
        simulation.record.container_started(place.endpoint, simulation.clock.now())

    def _keep_up(self) -> None:
        """Pings the container that serves, and starts it again whenever it exits."""
        pause = max(_LEAST_WALL_SECONDS, _PING_SECONDS / self.simulation.clock.scale)
        while not self.gone.is_set() and self.running is not None:
            while not self.running.exited.wait(pause):
                self.running.healthy()
            self.ready.clear()
            if self.gone.is_set():
                return
            self._wait(_RESTART_SECONDS)
            if not self.gone.is_set() and not self._until_ready(3600.0):
                return


def machine_of(found: Hardware, volume_gb: int | None) -> Machine:
    """What a container sees of its instance."""
    return Machine(
        gpu=found.gpu, gpus=found.gpus, gpu_gib=found.gpu_gib, compute_capability=found.compute_capability or (0, 0),
        ram_gib=found.ram_gib, disk_gb=found.disk_gb(volume_gb),
        hub_mib_per_second=durations.hub_rate(found.instance_type), load_gib_per_second=durations.load_rate(found.gpu),
    )  # fmt: skip


def _data_url(container: dict[str, Any]) -> str | None:
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return source.get("S3Uri") or container.get("ModelDataUrl")
