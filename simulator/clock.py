"""Virtual time: everything the simulator reports runs `scale` times faster than the wall clock."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class VirtualClock:
    """Seconds pass `scale` times faster since `epoch` (Unix seconds of wall time)."""

    scale: float = 1.0
    epoch: float = 0.0

    def now(self) -> float:
        """Virtual Unix seconds."""
        return self.epoch + (time.time() - self.epoch) * self.scale

    def wall_seconds_until(self, moment: float) -> float:
        """Wall seconds until a virtual moment; zero when it is past."""
        return max(0.0, (moment - self.now()) / self.scale)

    def sleep_until(self, moment: float, wake: threading.Event | None = None) -> bool:
        """Waits for a virtual moment; True when `wake` was set before it came."""
        if wake is None:
            time.sleep(self.wall_seconds_until(moment))
            return False
        return wake.wait(self.wall_seconds_until(moment))


def iso(moment: float) -> str:
    """A virtual moment as the control interface shows it."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
