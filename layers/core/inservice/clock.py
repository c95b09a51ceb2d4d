"""Time as the deployment sees it: the wall clock on AWS, a faster one on the embedded stack."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Clock:
    """Tells virtual time: `scale` seconds pass per wall-clock second since `epoch` (Unix seconds)."""

    scale: float = 1.0
    epoch: float = 0.0

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def timestamp(self) -> float:
        """The current time in Unix seconds."""
        return self.epoch + (time.time() - self.epoch) * self.scale


def clock_from(environment: Mapping[str, str] = os.environ) -> Clock:
    """The clock the environment asks for; AWS sets neither variable, so there it is the wall clock.

    The embedded stack's engine hands its own environment to every function, which is how its simulator and the
    functions share one fast clock without a switch in the template.
    """
    return Clock(
        float(environment.get("INSERVICE_TIME_SCALE", "1")), float(environment.get("INSERVICE_TIME_EPOCH", "0"))
    )
