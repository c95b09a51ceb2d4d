"""Faults on demand: what `PUT /_simulator/faults` sets, counted down or drawn with a seed."""

from __future__ import annotations

import copy
import random
import threading
from typing import Any

_NONE: dict[str, Any] = {
    "capacity": {}, "quota": {}, "errors": [], "latency": [], "dropped": [], "denied": [], "replay": [], "dies": [],
    "events": {}, "logs": {}, "roles": {}, "alarms": {}, "status": {}, "lag_seconds": 0.0,
}  # fmt: skip


class Faults:
    """The faults in force. Lists hold rules with `operation`, `endpoint`, and `next` N or `share` S with `seed`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = copy.deepcopy(_NONE)
        self._dice: dict[int, random.Random] = {}

    def put(self, wanted: Any) -> dict[str, Any]:
        """Replaces the named kinds of fault; raises ValueError for what is not one."""
        if not isinstance(wanted, dict):
            raise ValueError("faults are a JSON object")
        unknown = sorted(set(wanted) - set(_NONE))
        if unknown:
            raise ValueError(f"unknown faults {unknown}; known are {sorted(_NONE)}")
        cleaned = {kind: _cleaned(kind, value) for kind, value in wanted.items()}
        with self._lock:
            self._now.update(cleaned)
            self._dice.clear()
            return copy.deepcopy(self._now)

    def clear(self) -> None:
        """No faults at all."""
        self.put(copy.deepcopy(_NONE))

    def current(self) -> dict[str, Any]:
        """What is in force now."""
        with self._lock:
            return copy.deepcopy(self._now)

    def value(self, kind: str, key: str | None = None, default: Any = None) -> Any:
        """A fault's value, or one entry of a keyed one."""
        with self._lock:
            found = self._now[kind]
            return found if key is None else found.get(key, default)

    def strike(self, kind: str, operation: str, endpoint: str | None = None) -> dict[str, Any] | None:
        """The first rule that hits this call; a `next` rule is used up by it."""
        with self._lock:
            for rule in self._now[kind]:
                if _meant(rule, operation, endpoint) and self._drawn(rule):
                    return dict(rule)
        return None

    def _drawn(self, rule: dict[str, Any]) -> bool:
        if "share" in rule:
            dice = self._dice.setdefault(id(rule), random.Random(rule.get("seed", 0)))
            return dice.random() < rule["share"]
        if "next" in rule:
            rule["next"] -= 1
            return rule["next"] >= 0
        return True


def _meant(rule: dict[str, Any], operation: str, endpoint: str | None) -> bool:
    wanted = rule.get("endpoint")
    named = wanted is None or (endpoint is not None and wanted.lower() == endpoint.lower())
    return named and rule.get("operation", "*") in ("*", operation)


def _cleaned(kind: str, value: Any) -> Any:
    if isinstance(_NONE[kind], list):
        rules = value if isinstance(value, list) else [value]
        if not all(isinstance(rule, dict) for rule in rules):
            raise ValueError(f"{kind} is a list of objects")
        return [dict(rule) for rule in rules]
    if isinstance(_NONE[kind], dict) and not isinstance(value, dict):
        raise ValueError(f"{kind} is an object")
    if isinstance(_NONE[kind], float) and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise ValueError(f"{kind} is a number")
    return value
