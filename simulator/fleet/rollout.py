"""Moving an endpoint from one configuration to another: blue/green in three paces, or rolling; with alarms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from simulator.fleet import reasons
from simulator.fleet.fleet import Fleet

if TYPE_CHECKING:
    from simulator.control_plane.records import Endpoint
    from simulator.simulation import Simulation

_ALARM_LOOK_SECONDS = 30.0


class Rollout:
    """One update under way; tells the endpoint's pending summary where it is."""

    def __init__(self, simulation: Simulation, endpoint: Endpoint, green: Fleet, policy: dict[str, Any]) -> None:
        self.simulation, self.endpoint, self.green, self.policy = simulation, endpoint, green, policy
        self.blue = endpoint.fleet
        alarms = (policy.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
        self.alarms = [alarm["AlarmName"] for alarm in alarms]

    def run(self) -> str | None:
        """Returns None when the new fleet has taken over, else the reason for rolling back."""
        rolling = self.policy.get("RollingUpdatePolicy")
        return self._rolling(rolling) if rolling else self._blue_green(self.policy.get("BlueGreenUpdatePolicy") or {})

    def _blue_green(self, policy: dict[str, Any]) -> str | None:
        routing = policy.get("TrafficRoutingConfiguration") or {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
        self.green.share = 0.0
        self._tell("Creating", f"Launching {sum(self.green.wanted.values())} instance(s).")
        if reason := self.green.grow(self.green.wanted):
            return reason
        total = sum(self.green.wanted.values())
        interval = float(routing.get("WaitIntervalInSeconds") or 0)
        for part in self._steps(routing, total):
            self._route(part / total)
            if part < total:
                self._tell("ActivatingTraffic", f"Activating traffic on canary capacity of {part} instance(s).")
                self._tell("Baking", f"Baking for {interval:.0f} seconds (WaitIntervalInSeconds) with traffic "
                                     f"enabled on "
                                     f"canary capacity of {part} instance(s).")  # fmt: skip
                if reason := self._bake(interval):
                    return reason
        wait = float(policy.get("TerminationWaitInSeconds") or 0)
        if wait or self.alarms:
            self._tell("Baking", f"Baking for {wait:.0f} seconds (TerminationWaitInSeconds) with traffic "
                                 f"enabled on full "
                                 f"capacity of {total} instance(s).")  # fmt: skip
        return self._bake(wait)

    def _steps(self, routing: dict[str, Any], total: int) -> list[int]:
        if routing["Type"] == "CANARY":
            return [min(total, _size(routing.get("CanarySize"), total)), total]
        if routing["Type"] == "LINEAR":
            step = _size(routing.get("LinearStepSize"), total)
            return [*range(step, total, step), total]
        return [total]

    def _rolling(self, policy: dict[str, Any]) -> str | None:
        interval = float(policy.get("WaitIntervalInSeconds") or 0)
        total = sum(self.green.wanted.values())
        batch = _size(policy["MaximumBatchSize"], total)
        done = 0
        while done < total:
            done = min(total, done + batch)
            self._tell("Updating", f"Launching {batch} instance(s).")
            if reason := self.green.grow(_first(self.green.wanted, done)):
                return reason
            self._route(done / total)
            if self.blue:
                self.blue.shrink(_first(self.blue.wanted, total - done))
            self._tell("Baking", f"Baking for {interval:.0f} seconds with traffic enabled on {done} instance(s).")
            if reason := self._bake(interval):
                return reason
        return None

    def _route(self, share: float) -> None:
        self.green.share = share
        if self.blue:
            self.blue.share = 1.0 - share

    def _bake(self, seconds: float) -> str | None:
        clock = self.simulation.clock
        ends = clock.now() + seconds
        while True:
            ringing = self.simulation.alarms.ringing(self.alarms)
            if ringing:
                return reasons.alarm(", ".join(ringing))
            if clock.now() >= ends or clock.wait_until(min(ends, clock.now() + _ALARM_LOOK_SECONDS),
                                                       self.simulation.stopping):  # fmt: skip
                return None

    def _tell(self, status: str, message: str) -> None:
        now = self.simulation.clock.now()
        self.endpoint.variant_status = {"Status": status, "StatusMessage": message, "StartTime": now}
        self.simulation.events.deployment(self.endpoint)


def _size(size: dict[str, Any] | None, total: int) -> int:
    if not size:
        return total
    if size["Type"] == "INSTANCE_COUNT":
        return max(1, int(size["Value"]))
    return max(1, math.ceil(total * size["Value"] / 100))


def _first(wanted: dict[str, int], number: int) -> dict[str, int]:
    """The counts by variant for the first `number` instances in all."""
    found = {}
    for variant, count in wanted.items():
        found[variant] = min(count, max(0, number))
        number -= found[variant]
    return found
