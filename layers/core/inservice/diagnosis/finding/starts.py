"""The starts of a server that one log tells of, and what went wrong in each that it did not go on from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from inservice.diagnosis.failures.failure import SPECIFIC
from inservice.diagnosis.finding.hits import Hit
from inservice.diagnosis.progress import BANNERS, LOAD_MARKS, READY_MARKS
from inservice.diagnosis.reading.log import Log

WRAPPERS = {"wrapper", "worker_died"}
# Failures that are only causes when nothing was raised before them.
KILLED = {"killed", "killed_by_the_system"}
# Uvicorn binds its port after "startup complete", and ends if it is taken.
_GAVE_UP = WRAPPERS | KILLED | {"port_in_use"}
# What ends a server that was ready. Anything else may be one request's: its length, its chat template, the name of
# its model, the address of its picture.
_ENDS_A_READY_SERVER = {
    "GPU_OOM_WEIGHTS", "GPU_OOM_KV_CACHE", "HOST_OOM", "DISK_FULL", "SHARDING_ERROR", "COMPILE_ERROR",
    "UNSUPPORTED_GPU", "STARTUP_TIMEOUT", "IMAGE_PULL", "BAD_CONTAINER",
}  # fmt: skip
# What is tried before the weights are read, and repeated or done without: huggingface_hub repeats a call that timed
# out, SGLang a file's (its retry()), and servers probe for optional kernels, files and tools.
_OF_THE_HUB = {"MODEL_DOWNLOAD_FAILED", "NETWORK_VPC"}
_TRIED_FIRST = _OF_THE_HUB | {"MODEL_NOT_FOUND", "MISSING_DEPENDENCY", "BAD_CONTAINER"}
# TGI logs so each call of the hub that it repeats; a download it gives up on is told with its traceback (utils/hub.py).
_REPEATS = re.compile(r"\bERROR text_generation_launcher: (?!Download |Shard |Webserver )")
# The Hugging Face toolkit answers pings before it has a model, and loads that at a request (its handler_service.py).
_LOADS_LATE = re.compile(r"handler_service\.py\", line \d+, in (?:initialize|load)\b")
_LONGEST_TRACEBACK = 60
# Triton may be told to go on without a model, and to load it when asked (--exit-on-error, --model-control-mode).
_UP_WITHOUT_IT = re.compile(r"model_lifecycle\.cc:\d+\] \"?failed to load '|\| UNAVAILABLE: ")
# The window may end, and the log with it, while a traceback is being printed: at most so many lines stand below it.
_BREAKS_OFF_LINES = 2


@dataclass(frozen=True)
class Start:
    """The lines `first` to `end` (exclusive) of a log, what failed in them, and where they show a server ready."""

    first: int
    end: int
    hits: tuple[Hit, ...]
    ready: tuple[tuple[str, int], ...] = ()

    def breaks_off(self, hit: Hit, before: Start) -> bool:
        """Whether the log ends while this start fails at `hit` as the one before it did, which then says more of it."""
        near = self.end - hit.line - 1 <= _BREAKS_OFF_LINES
        return near and {other.failure.key for other in self.hits} <= {other.failure.key for other in before.hits}

    def got_further_than(self, before: Start) -> bool:
        """Whether this start, which was ready, went past the place where the one before it was ready and failed."""
        if not before.ready or not before.hits:
            return True
        if {mark for mark, _ in self.ready} - {mark for mark, _ in before.ready}:
            return True
        return self.end - self.ready[0][1] > before.hits[0].line - before.ready[0][1]


def starts_of(log: Log, hits: list[Hit]) -> list[Start]:
    """The starts of a log, oldest first; `hits` are those of the whole log, in order of their lines."""
    firsts = _firsts(log)
    ready = _marked(READY_MARKS, log)
    starts = []
    for first, end in zip(firsts, [*firsts[1:], len(log.lines)], strict=True):
        shown = tuple((mark, line) for line, mark in ready if first <= line < end)
        own = [hit for hit in hits if first <= hit.line < end]
        own = _not_survived(_after_ready(own, shown, log), log, end)
        starts.append(Start(first, end, tuple(own), shown))
    return starts


def _after_ready(hits: list[Hit], shown: tuple[tuple[str, int], ...], log: Log) -> list[Hit]:
    """Without what was survived: errors before the server reported ready did not end it."""
    if not shown:
        return hits
    last = shown[-1][1]
    # SGLang and TorchServe listen before the warm-up or the workers are done, and can still give up.
    gave_up = any(hit.line > last and hit.failure.key in _GAVE_UP for hit in hits)
    return [hit for hit in hits if _not_served(log, hit.line) or (hit.line > last and (gave_up or _ends(hit)))]


def _ends(hit: Hit) -> bool:
    """Whether this failure ends a server that was ready."""
    return hit.rank >= SPECIFIC - 5 and hit.cause in _ENDS_A_READY_SERVER


def _not_served(log: Log, number: int) -> bool:
    """Whether a line tells of a model that could not be loaded, by a server that is up all the same."""
    if _UP_WITHOUT_IT.search(log.lines[number][:300]):
        return True
    for line in reversed(log.lines[max(0, number - _LONGEST_TRACEBACK) : number]):
        if _LOADS_LATE.search(line):
            return True
        if "Traceback (most recent" in line:
            return False
    return False


def _not_survived(hits: list[Hit], log: Log, end: int) -> list[Hit]:
    """Without what was tried in vain before the weights were read all the same, and nothing else was raised."""
    tried = {hit.line for hit in hits if hit.cause in _TRIED_FIRST}
    others = [hit for hit in hits if hit.line not in tried]
    repeated = [hit.cause in _OF_THE_HUB and _REPEATS.search(log.lines[hit.line][:200]) for hit in hits]
    if tried and all(repeated):
        return []
    if not tried or any(hit.cause != "CRASH_UNKNOWN" or hit.failure.key in _GAVE_UP for hit in others):
        return hits
    last = max(hit.line for hit in hits)
    return [] if any(last < line < end for line, _ in _marked(LOAD_MARKS, log)) else hits


def _firsts(log: Log) -> list[int]:
    """Line numbers where starts begin: at each start banner of the kind that came first."""
    for literal, pattern in BANNERS:
        lines = [number for number in log.find(literal) if pattern.search(log.lines[number][:600])]
        if lines:
            kept = [lines[0]]
            # Several API server processes print the banner side by side; a restart has other lines between.
            kept += [b for a, b in pairwise(lines) if b - a > 3]
            return [0, *kept[1:]] if len(kept) > 1 else [0]
    return [0]


def _marked(marks: Iterable[tuple[str, re.Pattern[str] | None]], log: Log) -> list[tuple[int, str]]:
    """The lines that show one of these marks, with the mark's literal, in order."""
    return sorted(
        (number, literal)
        for literal, pattern in marks
        for number in log.find(literal)
        if pattern is None or pattern.search(log.lines[number][:2000])
    )
