"""The faults in force, endpoint by endpoint: several sequences set theirs in one simulator, which knows one list."""

from __future__ import annotations

import threading
from typing import Any

from tests.workflow.caller import Caller

# By name, what is wrong with one endpoint: the kind of fault and its rule (docs/simulator.md).
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "throttled": ("errors", {"share": 0.3, "seed": 5}),
    "unavailable": ("errors", {"operation": "DescribeEndpoint", "share": 0.5, "seed": 3, "status": 500,
                               "code": "InternalFailure", "message": "try again"}),
    "dropped": ("dropped", {"operation": "DescribeEndpoint", "share": 0.2, "seed": 8}),
    "mute": ("errors", {"operation": "InvokeEndpoint", "code": "ModelError", "message": "no", "status": 424}),
    "dying": ("dies", {"after_seconds": 60}),
    "crashing": ("replay", {"log": "ValueError: something that nobody knows", "exit_code": 1, "seconds": 20}),
}  # fmt: skip
_KINDS = sorted({kind for kind, _ in FAULTS.values()})


class Mischief:
    """Sets and heals faults of single endpoints, from several threads."""

    def __init__(self, caller: Caller) -> None:
        self._caller, self._lock = caller, threading.Lock()
        self._now: dict[str, set[str]] = {}

    def begin(self, endpoint: str, fault: str) -> None:
        """This fault strikes the endpoint from now on."""
        with self._lock:
            self._now.setdefault(endpoint, set()).add(fault)
            self._tell()

    def heal(self, endpoint: str) -> None:
        """Nothing is wrong with the endpoint any more."""
        with self._lock:
            if self._now.pop(endpoint, None):
                self._tell()

    def _tell(self) -> None:
        rules: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _KINDS}
        for endpoint, faults in self._now.items():
            for kind, rule in (FAULTS[name] for name in sorted(faults)):
                rules[kind].append({**rule, "endpoint": endpoint})
        self._caller.faults(**rules)
