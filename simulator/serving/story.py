"""How a start goes: lines with their moments, and its end, either serving or an exit code."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from simulator.serving.filling import Fill


class Lost(Exception):
    """The server cannot start; what it prints about it is already in the story."""

    def __init__(self, exit_code: int = 1) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


@dataclass
class Story:
    """Told in virtual time: `now` is the moment of the next line in Unix seconds."""

    now: float
    lines: list[tuple[float, str]] = field(default_factory=list)
    exit_code: int | None = None
    fills: list[Fill] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        """Lets time pass without a word."""
        self.now += seconds

    def say(self, text: str, after: float = 0.0) -> None:
        """Prints text, `after` seconds later; several lines are several log events."""
        self.now += after
        self.lines.extend((self.now, line) for line in text.split("\n"))

    def fill(self, metric: str, percent: float, seconds: float, after: float = 0.0) -> None:
        """Lets a metric of the machine go to a percentage, `after` seconds from now, while the story goes on."""
        self.fills.append(Fill(self.now + after, seconds, metric, round(percent, 2)))

    def lose(self, exit_code: int = 1) -> Lost:
        """Raise what this returns: the process ends here."""
        self.now += 0.5
        self.exit_code = exit_code
        return Lost(exit_code)

    def iso(self) -> str:
        """The moment as Rust's tracing prints it."""
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.now)) + f".{int(self.now % 1 * 1e6):06d}Z"

    def day(self) -> str:
        """The moment as vLLM prints it: no year."""
        return time.strftime("%m-%d %H:%M:%S", time.gmtime(self.now))

    def date(self) -> str:
        """The moment as SGLang prints it."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.now))
