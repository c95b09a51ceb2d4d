"""Utilisation as SageMaker publishes it: once a minute for every instance that runs a container."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.serving.filling import DISK, GPU_MEMORY, MEMORY, Fill, highest
from simulator.serving.situation import Situation

if TYPE_CHECKING:
    from simulator.fleet.instance import Instance
    from simulator.simulation import Simulation

_NAMESPACE, _MINUTE = "/aws/sagemaker/Endpoints", 60.0
# Not more often than this in wall seconds, however fast virtual minutes pass.
_LEAST_WALL_SECONDS = 1.0
_MOST_MINUTES = 60
# What a container writes besides weights; the image itself is not counted.
_EMPTY_DISK_GB = 0.5


class Metrics:
    """Publishes to the engine's CloudWatch and keeps the newest values for the control door."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._newest: dict[str, dict[str, float]] = {}
        self._published = simulation.clock.now()
        self._seen: list[tuple[str, Instance]] = []
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def newest(self) -> dict[str, dict[str, float]]:
        """The latest values by endpoint."""
        return dict(self._newest)

    def stop(self) -> None:
        """Ends the thread; the simulation's stop signal is what wakes it."""
        self._thread.join(timeout=3)

    def _work(self) -> None:
        pause = max(_LEAST_WALL_SECONDS, _MINUTE / self._simulation.clock.scale)
        while not self._simulation.stopping.wait(pause):
            self._publish()

    def _publish(self) -> None:
        instances = self._instances()
        # An instance that is gone by now may have had its last minute since the last publication.
        seen = instances + [pair for pair in self._seen if pair not in instances]
        self._seen = instances
        data = [datum for begin, end in self._minutes() for name, instance in seen
                for datum in self._of(name, instance, begin, end)]  # fmt: skip
        if not self._simulation.engine:
            return
        try:
            client = self._simulation.engine.client("cloudwatch")
            for begin in range(0, len(data), 500):
                client.put_metric_data(Namespace=_NAMESPACE, MetricData=data[begin : begin + 500])
        except (ClientError, BotoCoreError) as problem:
            print(f"metrics were not delivered: {problem}", file=sys.stderr, flush=True)

    def _minutes(self) -> list[tuple[float, float]]:
        """The virtual time since the last publication in parts of about a minute: it may pass faster than we wake."""
        since, now = self._published, self._simulation.clock.now()
        self._published = now
        parts = min(_MOST_MINUTES, max(1, round((now - since) / _MINUTE)))
        step = (now - since) / parts
        return [(since + step * part, since + step * (part + 1)) for part in range(parts)]

    def _instances(self) -> list[tuple[str, Instance]]:
        with self._simulation.lock:
            endpoints = list(self._simulation.endpoints.values())
        fleets = [(one.name, fleet) for one in endpoints for fleet in (one.fleet, one.pending_fleet) if fleet]
        return [(name, instance) for name, fleet in fleets for instances in list(fleet.instances.values())
                for instance in list(instances)]  # fmt: skip

    def _of(self, endpoint: str, instance: Instance, begin: float, end: float) -> list[dict[str, Any]]:
        clock, situation = self._simulation.clock, instance.situation
        # Only what runs a container has figures, as containers' use is what is counted.
        runs = [(run, max(begin, clock.at(run.started_at)), min(end, clock.at(run.exited_at)))
                for run in list(instance.runs)]  # fmt: skip
        runs = [(run, first, last) for run, first, last in runs if first < last]
        if situation is None or not runs:
            return []
        found = [self._values(situation, run.fills, first, last, instance.ready.is_set()) for run, first, last in runs]
        values = {name: max(value[name] for value in found) for name in found[0]}
        self._newest[endpoint] = values
        dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": instance.variant}]
        return [{"MetricName": name, "Dimensions": dimensions, "Timestamp": datetime.fromtimestamp(end, UTC),
                 "Value": value, "Unit": "Percent"} for name, value in values.items()]  # fmt: skip

    def _values(
        self, situation: Situation, fills: tuple[Fill, ...], begin: float, end: float, ready: bool
    ) -> dict[str, float]:
        """The highest percent of a time; GPU figures are summed over the GPUs, so that eight full ones are 800."""
        machine, weights = situation.machine, self._weights(situation)
        stored = weights * 1.0737 if situation.local else _EMPTY_DISK_GB
        base = {
            DISK: min(100.0, 100 * stored / machine.disk_gb),
            MEMORY: min(100.0, 100 * (4 + 0.1 * weights) / machine.ram_gib),
            GPU_MEMORY: 2.0 * machine.gpus,
        }
        values = {name: round(highest(fills, name, begin, end, percent), 2) for name, percent in base.items()}
        if ready:
            taken = 100.0 * _share(weights, machine.gpu_gib, machine.gpus) * machine.gpus
            values[GPU_MEMORY] = round(max(values[GPU_MEMORY], taken), 2)
        return {**values, "CPUUtilization": 5.0 if ready else 100.0, "GPUUtilization": 0.0}

    def _weights(self, situation: Situation) -> float:
        if situation.local:
            return sum(situation.local["files"].values()) / 2**30
        name = next((situation.environment[key] for key in ("HF_MODEL_ID", "SM_VLLM_MODEL", "SM_SGLANG_MODEL_PATH")
                     if key in situation.environment), "")  # fmt: skip
        return self._simulation.hub.weights_gib(name)


def _share(weights: float, gpu_gib: float, gpus: int) -> float:
    """The share of GPU memory in use once a server has taken weights and cache; servers take about nine tenths."""
    return 0.0 if not gpus or not gpu_gib else max(0.9, min(1.0, weights / gpus / gpu_gib))
