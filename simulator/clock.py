"""Virtual time: `scale` seconds pass per second of the wall clock, from a common epoch."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """Tells and waits in virtual seconds."""

    scale: float
    epoch: float

    def now(self) -> float:
        """Virtual Unix seconds."""
        return self.at(time.time())

    def at(self, wall: float) -> float:
        """The virtual moment of a moment of the wall clock."""
        return self.epoch + (wall - self.epoch) * self.scale

    def wait_until(self, moment: float, stop: threading.Event) -> bool:
        """Sleeps until a virtual moment; True when `stop` was set before."""
        while not stop.is_set():
            left = (moment - self.now()) / self.scale
            if left <= 0:
                return False
            stop.wait(min(left, 5.0))
        return True


def iso(moment: float) -> str:
    """A virtual moment as the control door shows it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
