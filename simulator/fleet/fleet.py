"""All instances of one configuration, by variant."""

from __future__ import annotations

import random
import threading
import traceback
from typing import TYPE_CHECKING, Any

from simulator.fleet import reasons
from simulator.fleet.instance import Assignment, Instance

if TYPE_CHECKING:
    from simulator.simulation import Simulation


class Fleet:
    """The instances that serve one endpoint configuration, with their weights."""

    def __init__(self, simulation: Simulation, endpoint: str, config: dict[str, Any]) -> None:
        self.simulation, self.endpoint, self.config = simulation, endpoint, config
        self.instances: dict[str, list[Instance]] = {v["VariantName"]: [] for v in config["ProductionVariants"]}
        self.weights = {
            v["VariantName"]: float(v.get("InitialVariantWeight", 1.0)) for v in config["ProductionVariants"]
        }
        self.wanted = {v["VariantName"]: int(v.get("InitialInstanceCount", 1)) for v in config["ProductionVariants"]}
        # The share of the endpoint's traffic this fleet takes while two of them serve it.
        self.share = 1.0

    def grow(self, wanted: dict[str, int]) -> str | None:
        """Brings every variant to the wanted number, all at once; returns the first reason for failing."""
        new = [self._new(variant, number) for variant, count in wanted.items()
               for number in range(len(self.instances[variant]) + 1, count + 1)]  # fmt: skip
        found: list[str | None] = [None] * len(new)
        failed = threading.Event()

        def work(place: int) -> None:
            found[place] = _brought_up(new[place])
            if found[place] and not failed.is_set():
                failed.set()
                for other in new:
                    if other is not new[place]:
                        other.stop()

        threads = [threading.Thread(target=work, args=(place,), daemon=True) for place in range(len(new))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return next((reason for reason in found if reason), None)

    def shrink(self, wanted: dict[str, int]) -> None:
        """Stops the instances beyond the wanted number."""
        for variant, count in wanted.items():
            while len(self.instances[variant]) > count:
                self.instances[variant].pop().stop()

    def stop(self) -> None:
        """Stops every instance."""
        self.shrink(dict.fromkeys(self.instances, 0))

    def abandon(self) -> None:
        """Lets go of every instance at once; their containers end with the launcher."""
        for instances in self.instances.values():
            for instance in instances:
                instance.gone.set()

    def count(self, variant: str) -> int:
        """Instances of a variant that are there, serving or not."""
        return len(self.instances[variant])

    def ready(self, variant: str | None = None) -> list[Instance]:
        """Instances that serve, of one variant or all."""
        return [
            one
            for name, ones in self.instances.items()
            if variant in (None, name)
            for one in ones
            if one.ready.is_set()
        ]

    def pick(self, variant: str | None, dice: random.Random) -> Instance | None:
        """An instance for one request, by variant weights."""
        names = [name for name in self.instances if variant in (None, name) and self.ready(name)]
        weights = [self.weights[name] or (1e-9 if variant else 0.0) for name in names]
        if not names or sum(weights) <= 0:
            return None
        return dice.choice(self.ready(dice.choices(names, weights)[0]))

    def _new(self, variant: str, number: int) -> Instance:
        definition = next(v for v in self.config["ProductionVariants"] if v["VariantName"] == variant)
        name = self.config["EndpointConfigName"]
        instance = Instance(self.simulation, Assignment(self.endpoint, name, definition, number))
        self.instances[variant].append(instance)
        return instance


def _brought_up(instance: Instance) -> str | None:
    """The reason for failing, if any; a fault of the simulator's own is told in the words of SageMaker's own faults."""
    try:
        return instance.bring_up()
    except Exception:
        traceback.print_exc()
        return reasons.SERVICE
