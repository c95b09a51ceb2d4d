"""Who did what when: every call served, and when each endpoint's log first proved its fate."""

from __future__ import annotations

import re
import threading
from collections import deque
from typing import Any

from simulator.clock import iso

_KEPT_CALLS = 50_000
# Ends of a start that nothing printed afterwards takes back; written from the servers' own wording.
_PROOF = re.compile(
    r"^Error: (?!Backend)|error: unrecognized arguments|GatedRepoError|RepositoryNotFoundError|OutOfMemoryError|"
    r"No available memory for the cache|larger than the (?:maximum|available)|Engine core initialization failed|"
    r"No space left on device|ValidationError: \d|Scheduler hit an exception|executable file not found|exec "
    r"format error"
)


class Record:
    """Calls and endpoints' moments, in virtual time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[dict[str, Any]] = deque(maxlen=_KEPT_CALLS)
        self._moments: dict[str, dict[str, Any]] = {}

    def call(self, at: float, operation: str, caller: str, outcome: str, names: dict[str, str]) -> None:
        """Notes one call with its outcome: ok, or the error's code and words."""
        entry = {"at": iso(at), "operation": operation, "caller": caller, "outcome": outcome, **names}
        with self._lock:
            self._calls.append(entry)

    def calls(self) -> list[dict[str, Any]]:
        """All calls noted, oldest first."""
        with self._lock:
            return list(self._calls)

    def created(self, endpoint: str, at: float) -> None:
        """A deployment to this endpoint begins."""
        with self._lock:
            self._moments[endpoint] = {"endpoint": endpoint, "created": iso(at), "containers": 0}

    def container_started(self, endpoint: str, at: float) -> None:
        """A container of the endpoint starts."""
        with self._lock:
            moments = self._moments.setdefault(endpoint, {"endpoint": endpoint, "containers": 0})
            moments["containers"] = moments.get("containers", 0) + 1
            moments.setdefault("first_container", iso(at))

    def hear(self, endpoint: str, at: float, line: str) -> None:
        """Notes the first line that proves the start lost."""
        if _PROOF.search(line):
            with self._lock:
                moments = self._moments.setdefault(endpoint, {"endpoint": endpoint, "containers": 0})
                moments.setdefault("proved_lost", iso(at))
                moments.setdefault("proving_line", line)

    def settled(self, endpoint: str, at: float, status: str, reason: str | None) -> None:
        """SageMaker's own verdict."""
        with self._lock:
            moments = self._moments.setdefault(endpoint, {"endpoint": endpoint, "containers": 0})
            moments |= {"settled": iso(at), "status": status, "failure_reason": reason}

    def reports(self) -> list[dict[str, Any]]:
        """One entry per endpoint's latest deployment."""
        with self._lock:
            return [dict(moments) for moments in self._moments.values()]
