"""How far a start is, from the lines it prints, and when it will be ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from inservice.contracts import Phase, Plan, Watch
from inservice.diagnosis.progress import banner_of, mark_of
from inservice.ports import LogLine

_ORDER: tuple[Phase, ...] = ("queued", "provision", "image", "download", "load", "compile", "warm_up", "ready")
# Shares of the likely load time that have passed when a phase begins; only used where the log gives no percentage.
_BEGINS: dict[Phase, float] = {
    "image": 0.0,
    "download": 0.05,
    "load": 0.3,
    "compile": 0.75,
    "warm_up": 0.85,
    "ready": 1.0,
}
# Without a line for this long in a phase that prints progress, a start is called stalled.
_SILENCE = timedelta(minutes=5)
_TOLERANCE = 3.0


@dataclass(frozen=True)
class Standing:
    """Where a start stands after some lines."""

    phase: Phase
    since: datetime | None
    progress: float | None
    banner: str | None
    banner_count: int


def standing(previous: Watch, fresh: list[LogLine], now: datetime) -> Standing:
    """Where the start stands, given where it stood and the new lines; a new banner begins it again."""
    phase, since, progress = previous.phase, previous.phase_since, previous.progress
    banner, count, streams = previous.banner, previous.banner_count, set()
    for line in fresh:
        at = datetime.fromtimestamp(line.at_ms / 1000, now.tzinfo)
        found = banner_of(line.message)
        # Several API server processes print the banner within a moment; each instance prints its own.
        # A line read twice (more lines in the overlap than ids remembered) must not count as another start.
        new = line.at_ms > previous.log_cursor_ms
        if found and new and (banner is None or found == banner) and (line.stream, line.at_ms // 2000) not in streams:
            streams.add((line.stream, line.at_ms // 2000))
            banner, count = found, count + 1
            phase, since, progress = "image", at, None
            continue
        mark = mark_of(line.message)
        if mark and _ORDER.index(mark.phase) >= _position(phase):
            since = at if mark.phase != phase else since
            progress = mark.progress if mark.progress is not None or mark.phase != phase else progress
            phase = mark.phase
        elif phase in ("queued", "provision"):
            phase, since, progress = "image", at, None
    return Standing(phase, since or now, progress, banner, count)


def ready_estimate(here: Standing, plan: Plan, now: datetime) -> datetime | None:
    """When the server will be ready: by the phase's own pace, else by the predicted load time."""
    if here.phase == "ready":
        return now
    predicted = plan.predicted_load_seconds
    if here.since is None or here.phase in ("queued", "provision"):
        return None
    spent = (now - here.since).total_seconds()
    after = predicted.likely * (1 - _BEGINS[_following(here.phase)]) if predicted else 60.0
    if here.progress and here.progress > 0.02 and spent > 1:
        return now + timedelta(seconds=spent / here.progress * (1 - here.progress) + after)
    if not predicted:
        return None
    whole = predicted.likely * (1 - _BEGINS.get(here.phase, 0.0))
    return max(now, here.since + timedelta(seconds=whole))


def stalled(here: Standing, last_line_at: datetime | None, plan: Plan, now: datetime) -> str | None:
    """A sentence when nothing has moved for far longer than it should; None otherwise."""
    if here.phase in ("queued", "provision", "ready") or last_line_at is None:
        return None
    silent = now - last_line_at
    predicted = plan.predicted_load_seconds
    patience = max(_SILENCE, timedelta(seconds=predicted.likely if predicted else 0))
    # Compilation is silent by nature.
    if here.phase == "compile":
        patience *= _TOLERANCE
    if silent <= patience:
        return None
    return f"No new line for {int(silent.total_seconds() // 60)} minutes in phase {here.phase}."


def _position(phase: Phase) -> int:
    return _ORDER.index(phase) if phase in _ORDER else 0


def _following(phase: Phase) -> Phase:
    return _ORDER[min(_position(phase) + 1, len(_ORDER) - 1)]
