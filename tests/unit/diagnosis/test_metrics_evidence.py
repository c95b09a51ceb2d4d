"""What metrics add to the words: a cause where there was none, support where they agree, and never more than that."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.commands import Diagnose
from inservice.contracts import Diagnosis
from inservice.diagnosis import diagnose
from inservice.diagnosis.attempt import diagnose_attempt, log_of_attempt, look_again_seconds
from inservice.diagnosis.facts import Facts
from inservice.errors import InServiceError, Refused, Unavailable
from inservice.ports import LogLine, Peak

SAMPLE = json.loads((Path(__file__).parents[3] / "events/state-diagnose.json").read_text())
AT = datetime(2026, 11, 25, 12, 4, tzinfo=UTC)
PING = "The primary container for production variant AllTraffic did not pass the ping health check."
START = "\n".join([
    "INFO 05-06 07:07:01 [api_server.py:1289] vLLM API server version 0.11.2", "INFO 05-06 07:07:02 loading",
    "INFO 05-06 07:07:03 [gpu_model_runner.py:2602] Starting to load model x...", "INFO 05-06 07:07:09 loading",
])  # fmt: skip
READY = f"{START}\nINFO:     Application startup complete."
WRAPPED = f"{START}\nRuntimeError: Engine core initialization failed. See root cause above."
GATED = f"{START}\nhuggingface_hub.errors.GatedRepoError: 401 Client Error."
CUDA = f"{START}\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB."
MEMORY, DISK, GPU = "MemoryUtilization", "DiskUtilization", "GPUMemoryUtilization"


def peak(metric: str, percent: float) -> Peak:
    return Peak(metric, percent, AT)


def found(log: str | None, reason: str | None = PING, config: Any = None, **percent: float) -> Diagnosis:
    peaks = [peak(metric, value) for metric, value in percent.items()]
    return diagnose(failure_reason=reason, log=log, facts=Facts.of(config), peaks=peaks)


@pytest.mark.parametrize(
    ("log", "percent", "cause"),
    [
        (None, {MEMORY: 99.6}, "HOST_OOM"),
        (None, {DISK: 100.0}, "DISK_FULL"),
        (None, {GPU: 100.0}, "UNKNOWN"),
        (None, {MEMORY: 91.0, DISK: 93.0, GPU: 100.0}, "UNKNOWN"),
        (None, {MEMORY: 99.6, DISK: 100.0}, "UNKNOWN"),
        (None, {}, "UNKNOWN"),
        (WRAPPED, {MEMORY: 99.6}, "HOST_OOM"),
        (WRAPPED, {DISK: 100.0, GPU: 99.0}, "DISK_FULL"),
        (f"{START}\nEOFError", {MEMORY: 99.6}, "HOST_OOM"),
        (f"{START}\nValueError: nobody has seen this before", {MEMORY: 99.6}, "CRASH_UNKNOWN"),
        (f"{START}\nValueError: nobody has seen this before\nKilled", {MEMORY: 99.6}, "CRASH_UNKNOWN"),
        (f"{START}\n{START}\n{START}", {MEMORY: 99.6}, "HOST_OOM"),
        (START, {MEMORY: 99.6}, "STARTUP_TIMEOUT"),
        (READY, {MEMORY: 99.6}, "STARTUP_TIMEOUT"),
        (GATED, {MEMORY: 99.6, DISK: 100.0}, "GATED_OR_AUTH"),
        (CUDA, {MEMORY: 99.6}, "GPU_OOM_WEIGHTS"),
    ],
    ids=["memory alone", "disk alone", "GPU alone", "nothing full", "two at once", "no metrics", "wrapper and memory",
         "wrapper and disk", "partner gone", "an error of its own", "an error, then killed", "silent restarts",
         "one long start", "ready", "a root in the log", "a root of the GPU"],
)  # fmt: skip
def test_metrics_decide_only_what_the_words_leave_open(log: str | None, percent: dict[str, float], cause: str) -> None:
    assert found(log, **percent).cause == cause


def test_a_healthy_or_loading_start_stays_what_it_is() -> None:
    for log, cause in ((READY, "HEALTHY"), (START, "LOADING")):
        assert found(log, None, MemoryUtilization=99.9, DiskUtilization=100.0) == found(log, None)
        assert found(log, None, MemoryUtilization=99.9).cause == cause


def test_the_metric_is_told_with_its_minute_and_the_words_stay() -> None:
    told = found(None, MemoryUtilization=99.63)
    assert told.evidence == ("CloudWatch: MemoryUtilization reached 99.6 % at 12:04 UTC", PING)
    assert told.remedy is not None
    assert told.remedy.allow == "instance"
    assert told.confidence < found(WRAPPED, MemoryUtilization=99.63).confidence < 0.9


def test_a_full_volume_is_made_larger() -> None:
    remedy = found(None, config={"volume_size_gb": 30}, DiskUtilization=100.0).remedy
    assert remedy is not None
    assert (remedy.automatic, remedy.changes) == (True, {"volume_size_gb": 60})


@pytest.mark.parametrize(
    ("log", "percent", "config"),
    [(f"{START}\nKilled", {MEMORY: 98.0}, {}),
     (f"{START}\nDownload process was signaled to shutdown with signal 9:", {MEMORY: 98.0}, {}),
     (f"{START}\nOSError: [Errno 28] No space left on device", {DISK: 100.0}, {}),
     (CUDA, {GPU: 396.0}, {"gpu_count": 4})],
    ids=["killed", "signal 9", "disk", "GPU"],
)  # fmt: skip
def test_where_both_agree_the_line_stays_first_and_the_doubt_is_halved(
    log: str, percent: dict[str, float], config: dict[str, Any]
) -> None:
    alone, both = found(log, config=config), found(log, config=config, **percent)
    assert (both.cause, both.evidence[0]) == (alone.cause, alone.evidence[0])
    assert both.evidence[1].startswith("CloudWatch: ")
    assert alone.confidence <= both.confidence <= 0.97
    assert 1 - both.confidence <= max(0.03, (1 - alone.confidence) / 2) + 0.01


def test_one_full_gpu_of_four_is_not_a_full_gpu_memory() -> None:
    assert found(CUDA, config={"gpu_count": 4}, GPUMemoryUtilization=100.0) == found(CUDA, config={"gpu_count": 4})
    assert found(CUDA, GPUMemoryUtilization=400.0) == found(CUDA)


def test_what_does_not_decide_is_still_shown_to_whoever_reads_on() -> None:
    told = found(f"{START}\nValueError: nobody has seen this before", MemoryUtilization=99.6)
    assert told.cause == "CRASH_UNKNOWN"
    assert "CloudWatch: MemoryUtilization reached 99.6 % at 12:04 UTC" in told.evidence


class World:
    """Logs and metrics as one attempt left them, and as they were before; remembers what it was asked."""

    def __init__(
        self, lines: str = "", peaks: tuple[Peak, ...] = (), problem: InServiceError | None = None,
        before: tuple[Peak, ...] = (),
    ) -> None:  # fmt: skip
        self.lines, self.found, self.problem, self.before = lines, peaks, problem, before
        self.asked: list[tuple[Any, ...]] = []

    def read_both_ends(self, log_group: str, since_ms: int, **_: Any) -> list[LogLine]:
        return [LogLine(since_ms, "s", line) for line in self.lines.split("\n") if line]

    def peaks(self, endpoint_name: str, variant_name: str, *, since: datetime, until: datetime) -> tuple[Peak, ...]:
        self.asked.append((endpoint_name, variant_name, since, until))
        if self.problem:
            raise self.problem
        return self.before if until == datetime.fromisoformat(SAMPLE["endpoint"]["started_at"]) else self.found


def attempt(world: World, **fields: Any) -> tuple[Diagnosis, int | None]:
    changed = {"verdict": "failed", "reason": PING, "losing": None, "looks": 0, **fields}
    command = Diagnose.model_validate(SAMPLE | changed)
    clock = Clock(scale=0, epoch=(AT + timedelta(hours=1)).timestamp())
    lines = log_of_attempt(command, logs=world)
    seen = diagnose_attempt(command, lines=lines, metrics=world, clock=clock)
    return seen, look_again_seconds(command, seen, lines=lines, now=clock.now())


def test_an_attempt_asks_for_its_own_time_and_goes_on_looking_for_the_log() -> None:
    world = World(peaks=(peak(MEMORY, 99.6),))
    seen, again = attempt(world)
    assert (seen.cause, again) == ("HOST_OOM", 30)
    began = datetime.fromisoformat(SAMPLE["endpoint"]["started_at"])
    assert world.asked == [("llama-3-8b-no-token", "AllTraffic", began, AT + timedelta(hours=1))]
    assert attempt(world, looks=3) == (seen, None)


@pytest.mark.parametrize("problem", [Unavailable("Throttling: slow down"), Refused("not authorized")])
def test_a_fault_of_cloudwatch_spoils_no_diagnosis(problem: InServiceError) -> None:
    assert attempt(World(GATED, problem=problem))[0].cause == "GATED_OR_AUTH"
    assert attempt(World(problem=problem)) == attempt(World())


@pytest.mark.parametrize(
    "fields",
    [{"verdict": "no_answer"}, {"endpoint": None}],
    ids=["it answers pings", "there was none"],
)
def test_metrics_are_not_asked_for_where_they_would_be_anothers(fields: dict[str, Any]) -> None:
    world = World(peaks=(peak(MEMORY, 99.6),))
    assert attempt(world, **fields)[0].cause != "HOST_OOM"
    assert world.asked == []


UPDATE = {"endpoint": SAMPLE["endpoint"] | {"created": False}, "verdict": "rolled_back"}


@pytest.mark.parametrize(
    ("before", "cause"),
    [((peak(MEMORY, 55.0),), "HOST_OOM"), ((peak(MEMORY, 93.0),), "UNKNOWN"), ((), "UNKNOWN")],
    ids=["calm before", "nearly full before", "nothing known before"],
)
def test_an_updates_metric_counts_where_the_old_instances_were_calm(before: tuple[Peak, ...], cause: str) -> None:
    """Old and new instances publish under the same names: a metric that was high before says nothing of the new."""
    assert attempt(World(peaks=(peak(MEMORY, 99.6),), before=before), **UPDATE)[0].cause == cause


def test_an_early_verdict_with_a_cause_stands_and_one_without_gives_way() -> None:
    world = World(peaks=(peak(MEMORY, 99.6),))
    early = diagnose(failure_reason=None, log=GATED).as_json()
    assert attempt(world, losing=early)[0].cause == "GATED_OR_AUTH"
    early = diagnose(failure_reason=None, log=WRAPPED).as_json()
    assert attempt(world, losing=early)[0].cause == "HOST_OOM"
