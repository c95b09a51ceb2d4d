"""What the machine showed: memory or a disk that was full proves a cause where the words have none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inservice.contracts import Cause, Diagnosis
from inservice.diagnosis.facts import Facts
from inservice.diagnosis.reading.log import Log
from inservice.diagnosis.remedies import remedy_for
from inservice.ports import Peak

_SPEAKER = "CloudWatch: "
_MOST_EVIDENCE = 6
_SURE = 0.97


@dataclass(frozen=True)
class Full:
    """A resource that was used up: from which percentage on, and which causes that goes with.

    `alone` is the confidence where nothing else speaks; a resource without it only supports what the log says.
    """

    metric: str
    percent: float
    causes: tuple[Cause, ...]
    alone: float | None = None
    says: str = ""
    cure: str = ""


_FULL = (
    # The host's own processes need a part too, so that containers are killed before they have all of it; and the
    # value is a minute's, in which the last jump may be missing. Whether page cache counts is not documented (Amazon
    # ECS leaves it out of its metric of this name since agent 1.14, amazon-ecs-agent issue 280): hence not surer.
    Full(
        "MemoryUtilization", 95.0, ("HOST_OOM",), 0.75,
        "The containers used all of the host's memory, and then were gone: the host ran out of memory.",
        "Use an instance type with more RAM, or a checkpoint that needs no conversion to safetensors.",
    ),
    # Weights may fill a volume to nine tenths and serve; a download that fails fills the rest within a minute.
    Full(
        "DiskUtilization", 98.0, ("DISK_FULL",), 0.8,
        "The disk was full.",
        "Use a larger volume on EBS-only types, or an instance type with a larger local disk, and cache on it.",
    ),
    # Never alone: vLLM takes 90 to 92 % of the GPU on purpose (gpu_memory_utilization), TGI nearly all.
    Full("GPUMemoryUtilization", 97.0, ("GPU_OOM_WEIGHTS", "GPU_OOM_KV_CACHE")),
)  # fmt: skip


def weighed(found: Diagnosis, peaks: Iterable[Peak], *, undecided: bool, log: Log, facts: Facts) -> Diagnosis:
    """The diagnosis with what CloudWatch adds: support, or a cause of its own where the words left it `undecided`."""
    full = [(row, peak) for row in _FULL for peak in peaks if peak.metric == row.metric and _reached(row, peak, facts)]
    agreeing = [_told(peak) for row, peak in full if found.cause in row.causes]
    if agreeing:
        return _supported(found, agreeing)
    proving = [(row, peak) for row, peak in full if row.alone]
    if undecided and len(proving) == 1:
        return _proved(found, *proving[0], log, facts)
    if found.cause in ("UNKNOWN", "CRASH_UNKNOWN"):
        return _with_lines(found, [_told(peak) for _, peak in proving])
    return found


def rests_on_metrics(found: Diagnosis) -> bool:
    """Whether the metric is the proof, and not a line of the log or SageMaker's reason."""
    return bool(found.evidence) and found.evidence[0].startswith(_SPEAKER)


def _reached(row: Full, peak: Peak, facts: Facts) -> bool:
    # Summed over the GPUs: four full ones are 400 (developer guide, endpoint metrics).
    gpus = facts.gpu_count if row.metric.startswith("GPU") else 1
    return gpus is not None and peak.percent >= row.percent * gpus


def _told(peak: Peak) -> str:
    return f"{_SPEAKER}{peak.metric} reached {peak.percent:.1f} % at {peak.at:%H:%M} UTC"


def _supported(found: Diagnosis, lines: list[str]) -> Diagnosis:
    """A second witness of another kind halves the doubt that is left."""
    surer = max(found.confidence, min(_SURE, round((1 + found.confidence) / 2, 2)))
    return _with_lines(found, lines).model_copy(update={"confidence": surer})


def _with_lines(found: Diagnosis, lines: list[str]) -> Diagnosis:
    """The proving line stays first; those that follow it are cut off in some channels."""
    evidence = (*found.evidence[:1], *lines, *found.evidence[1:])[:_MOST_EVIDENCE]
    return found.model_copy(update={"evidence": evidence})


def _proved(found: Diagnosis, row: Full, peak: Peak, log: Log, facts: Facts) -> Diagnosis:
    [cause] = row.causes
    # A process that is known to have died leaves less doubt than silence.
    surer = 0.1 if found.cause == "CRASH_UNKNOWN" else 0.0
    line = _told(peak)
    return Diagnosis(
        cause=cause,
        confidence=round((row.alone or 0.0) + surer, 2),
        summary=row.says,
        evidence=(line, *found.evidence)[:_MOST_EVIDENCE],
        remedy=remedy_for(cause, row.cure, line, log, facts),
    )
