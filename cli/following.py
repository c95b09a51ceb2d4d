"""Following a deployment until it ends: a live display on a terminal, one line per change of phase elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.api import Service
from cli.problems import ApiError
from cli.telling import RUNNING, STATUS_COLOURS

_CONTAINER_PHASES = ("download", "load", "compile", "warm_up", "ready")
_PATIENCE = 10
_Outcome = Mapping[str, Any]


def follow(
    service: Service, deployment_id: str, *, console: Console, every_seconds: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> dict[str, Any]:  # fmt: skip
    """Shows the deployment until it is decided and answers with its outcome.

    A few calls may fail on the way; ApiError only when the API stays away.
    """
    pause = every_seconds if every_seconds is not None else max(0.5, 4.0 / service.time_scale)
    clock = ServiceClock(service.time_scale)
    live = Live(console=console, refresh_per_second=4, transient=False) if console.is_terminal else nullcontext()
    told: set[str] = set()
    with live as display:
        for outcome in _outcomes(service, deployment_id, pause, sleep):
            clock.see(outcome)
            if display is not None:
                display.update(Picture(outcome, clock))
            else:
                _tell_news(outcome, told, console)
            if outcome["status"] not in RUNNING:
                return dict(outcome)
    raise ApiError("the deployment was not followed to its end")


def _outcomes(
    service: Service, deployment_id: str, pause: float, sleep: Callable[[float], None]
) -> Iterator[dict[str, Any]]:
    failures = 0
    while True:
        try:
            yield service.call("GET", f"/deployments/{deployment_id}")
            failures = 0
        except ApiError as problem:
            failures += 1
            if problem.status in (403, 404) or failures > _PATIENCE:
                raise
        sleep(pause)


def _tell_news(outcome: _Outcome, told: set[str], console: Console) -> None:
    """Every timeline entry once, as `time phase: detail`."""
    for entry in outcome["timeline"]:
        line = f"{entry['at'][:19]}Z {entry['phase']}: {entry['detail']}"
        if line not in told:
            told.add(line)
            console.print(line, markup=False, highlight=False, soft_wrap=True)


@dataclass
class ServiceClock:
    """The service's own time between two looks, from its timeline: the embedded stack's runs `scale` times faster."""

    scale: float
    _seen: datetime | None = None
    _seen_at: float = field(default_factory=time.monotonic)

    def see(self, outcome: _Outcome) -> None:
        """Takes the newest timeline entry as the time it is now, when it is news."""
        if outcome["timeline"]:
            newest = _moment(outcome["timeline"][-1]["at"])
            if self._seen is None or newest > self.now():
                self._seen, self._seen_at = newest, time.monotonic()

    def now(self) -> datetime:
        """The service's time; only after something was seen."""
        assert self._seen is not None
        return self._seen + timedelta(seconds=(time.monotonic() - self._seen_at) * self.scale)

    def known(self) -> bool:
        """Whether anything was seen yet."""
        return self._seen is not None


@dataclass
class Picture:
    """One deployment, drawn anew whenever the display refreshes, so that the time moves between two looks."""

    outcome: _Outcome
    clock: ServiceClock

    def __rich__(self) -> RenderableType:
        outcome, status = self.outcome, self.outcome["status"]
        head = Text(outcome["endpoint_name"], "bold").append("  ").append(status, STATUS_COLOURS.get(status, ""))
        parts: list[RenderableType] = [head, *self._story()]
        if status in RUNNING:
            parts.append(self._now())
        if status == "LOSING" and outcome.get("diagnosis"):
            parts.append(Text(f"The log proves this attempt is lost: {outcome['diagnosis']['summary']}", "yellow"))
        return Group(*parts)

    def _story(self) -> list[Text]:
        """What is behind: the timeline, each entry with its time since the start."""
        timeline = self.outcome["timeline"]
        if not timeline:
            return [Text("waiting for the first step", "dim")]
        start = _moment(timeline[0]["at"])
        return [
            Text(f"  {_minutes(_moment(entry['at']) - start)}  ", "dim").append(entry["detail"], "default")
            for entry in timeline
        ]

    def _now(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1))
        progress = self.outcome.get("progress")
        bar: RenderableType = (
            Text("") if progress is None else ProgressBar(total=1.0, completed=progress, width=30)
        )  # fmt: skip
        grid.add_row(Spinner("dots"), Text(self.outcome["phase"], "bold cyan"), bar, Text(self._figures()))
        return grid

    def _figures(self) -> str:
        """Elapsed, the window that is left, and when it is predicted to be ready."""
        timeline, plan = self.outcome["timeline"], self.outcome.get("plan") or {}
        if not timeline or not self.clock.known():
            return ""
        now, words = self.clock.now(), [f"{_minutes(self.clock.now() - _moment(timeline[0]['at']))} elapsed"]
        began = _container_start(self.outcome)
        if began and plan:
            window = timedelta(seconds=plan["health_check_timeout_seconds"])
            words.append(f"start-up {_minutes(now - began)} of {_minutes(window)}")
            if predicted := plan.get("predicted_load_seconds"):
                words.append(f"ready expected at {_minutes(timedelta(seconds=predicted['likely']))}")
        return " · ".join(words)


def _container_start(outcome: _Outcome) -> datetime | None:
    """When the newest attempt's container was first seen at work."""
    began = None
    for entry in outcome["timeline"]:
        if entry["phase"] in ("queued", "provision"):
            began = None
        elif entry["phase"] in _CONTAINER_PHASES and began is None:
            began = _moment(entry["at"])
    return began


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _minutes(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}"
