"""Utilisation as SageMaker publishes it: once a minute for every instance that runs a container."""

from __future__ import annotations

import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.serving.situation import Situation

if TYPE_CHECKING:
    from simulator.fleet.instance import Instance
    from simulator.simulation import Simulation

_NAMESPACE, _MINUTE = "/aws/sagemaker/Endpoints", 60.0
# Not more often than this in wall seconds, however fast virtual minutes pass.
_LEAST_WALL_SECONDS = 1.0


class Metrics:
    """Publishes to the engine's CloudWatch and keeps the newest values for the control door."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._newest: dict[str, dict[str, float]] = {}
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
        data: list[dict[str, Any]] = []
        with self._simulation.lock:
            endpoints = list(self._simulation.endpoints.values())
        for endpoint in endpoints:
            for fleet in filter(None, (endpoint.fleet, endpoint.pending_fleet)):
                for instances in list(fleet.instances.values()):
                    for instance in list(instances):
                        data += self._of(endpoint.name, instance)
        if not self._simulation.engine:
            return
        try:
            client = self._simulation.engine.client("cloudwatch")
            for begin in range(0, len(data), 500):
                client.put_metric_data(Namespace=_NAMESPACE, MetricData=data[begin : begin + 500])
        except (ClientError, BotoCoreError) as problem:
            print(f"metrics were not delivered: {problem}", file=sys.stderr, flush=True)

    def _of(self, endpoint: str, instance: Instance) -> list[dict[str, Any]]:
        if instance.situation is None or instance.running is None or instance.running.exited.is_set():
            return []
        values = self._values(instance.situation, instance.ready.is_set())
        self._newest[endpoint] = values
        at = datetime.fromtimestamp(self._simulation.clock.now(), UTC)
        dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": instance.variant}]
        return [{"MetricName": name, "Dimensions": dimensions, "Timestamp": at, "Value": value, "Unit": "Percent"}
                for name, value in values.items()]  # fmt: skip

    def _values(self, situation: Situation, ready: bool) -> dict[str, float]:
        """Percent; GPU figures are summed over the GPUs, so that eight full ones are 800."""
        machine = situation.machine
        weights = self._weights(situation)
        share = _share(weights, machine.gpu_gib, machine.gpus) if ready else 0.02
        return {
            "DiskUtilization": round(min(100.0, 100 * weights * 1.0737 / machine.disk_gb), 2),
            "MemoryUtilization": round(min(100.0, 100 * (4 + 0.1 * weights) / machine.ram_gib), 2),
            "CPUUtilization": 100.0 if not ready else 5.0,
            "GPUMemoryUtilization": round(100.0 * share * machine.gpus, 2),
            "GPUUtilization": 0.0,
        }

    def _weights(self, situation: Situation) -> float:
        if situation.local:
            return sum(situation.local["files"].values()) / 2**30
        name = next((situation.environment[key] for key in ("HF_MODEL_ID", "SM_VLLM_MODEL", "SM_SGLANG_MODEL_PATH")
                     if key in situation.environment), "")  # fmt: skip
        return self._simulation.hub.weights_gib(name)


def _share(weights: float, gpu_gib: float, gpus: int) -> float:
    """The share of GPU memory in use once a server has taken weights and cache; servers take about nine tenths."""
    return 0.0 if not gpus or not gpu_gib else max(0.9, min(1.0, weights / gpus / gpu_gib))
