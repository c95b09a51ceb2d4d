"""Finds the known failures in a log and picks the one closest to the root."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from inservice.diagnosis.chains import causes_of
from inservice.diagnosis.failure import SPECIFIC, SYMPTOM, Failure
from inservice.diagnosis.hits import Hit, hits_of
from inservice.diagnosis.hub_failures import HUB_FAILURES
from inservice.diagnosis.log import Log
from inservice.diagnosis.memory_failures import MEMORY_FAILURES, WRAPS_ANYTHING
from inservice.diagnosis.model_failures import MODEL_FAILURES
from inservice.diagnosis.platform_failures import PLATFORM_FAILURES
from inservice.diagnosis.progress import BANNERS, LOAD_MARKS, READY_MARKS

LOG_FAILURES: tuple[Failure, ...] = (*MEMORY_FAILURES, *HUB_FAILURES, *MODEL_FAILURES, *PLATFORM_FAILURES)

# Failures that are only causes when nothing was raised before them.
_KILLED = {"killed", "killed_by_the_system"}
# TGI's last word, "Error: DownloadError", goes to stderr and may overtake the line that says which signal ended it.
_NO_ERROR = _KILLED | {"download_process_failed"}

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
_WRAPPERS = {"wrapper", "worker_died"}
# Uvicorn binds its port after "startup complete", and ends if it is taken.
_GAVE_UP = _WRAPPERS | _KILLED | {"port_in_use"}


@dataclass(frozen=True)
class Found:
    """What a search brought: the hit closest to the root, all hits of its attempt, and how often it came back."""

    root: Hit | None
    hits: tuple[Hit, ...]
    attempts: int
    repeats: int


def search(log: Log) -> Found:
    """The failure closest to the root, in the last attempt that has one."""
    starts = _attempts(log)
    ready = _ready_lines(log)
    hits = _innermost(sorted(hits_of(log, LOG_FAILURES), key=lambda hit: hit.line), log)
    by_attempt = [
        [hit for hit in hits if start <= hit.line < end]
        for start, end in zip(starts, [*starts[1:], len(log.lines)], strict=True)
    ]
    bounds = list(zip(starts, [*starts[1:], len(log.lines)], strict=True))
    chosen: Hit | None = None
    kept: list[Hit] = []
    for (start, end), some in zip(reversed(bounds), reversed(by_attempt), strict=True):
        last_ready = max((line for line in ready if start <= line < end), default=None)
        some = _not_survived(_after_ready(some, last_ready), log, end)
        best = choose(some)
        if best and (chosen is None or (chosen.rank <= SYMPTOM + 5 < best.rank)):
            chosen, kept = best, some
        if (chosen and chosen.rank > SYMPTOM + 5) or (last_ready is not None and best is None):
            break
    repeats = sum(any(h.cause == chosen.cause for h in some) for some in by_attempt) if chosen else 0
    return Found(chosen, tuple(kept), len(starts), repeats)


def search_text(text: str, failures: Iterable[Failure]) -> Hit | None:
    """The failure closest to the root in one short text, such as a FailureReason."""
    line = text.replace("\n", " ")
    return choose(list(hits_of(Log((line,), (line,)), failures, any_level=True)))


def choose(hits: list[Hit]) -> Hit | None:
    """The hit closest to the root: the highest rank, then the earliest line."""
    if not hits:
        return None
    # An error of its own, earlier, explains why a process was killed afterwards: SGLang kills its own process tree.
    raised = [hit.line for hit in hits if hit.failure.key not in _NO_ERROR and (hit.rank > SYMPTOM or hit.raised)]
    left = [hit for hit in hits if hit.failure.key not in _KILLED or not any(line < hit.line for line in raised)]
    return max(
        _unwrapped(left), key=lambda hit: (hit.rank // 10, hit.failure.key not in _WRAPPERS, -hit.line, hit.rank)
    )


def _unwrapped(hits: list[Hit]) -> list[Hit]:
    """Without the sentence that wraps anything, when the error it was raised from stands before it."""
    wrapping = {hit.line for hit in hits if hit.failure.key == WRAPS_ANYTHING}
    rest = [hit for hit in hits if hit.line not in wrapping]
    own = (hit for hit in rest if not hit.warned and hit.failure.key not in _WRAPPERS | _NO_ERROR)
    return rest if wrapping and any(hit.line < min(wrapping) for hit in own) else hits


def _innermost(hits: list[Hit], log: Log) -> list[Hit]:
    """Without exceptions that were thrown for another one, when that tells a cause as surely."""

    def told(hit: Hit) -> bool:
        inner = causes_of(log, hit.line)
        return bool(inner) and any(other.line in inner and other.rank // 10 >= hit.rank // 10 for other in causes)

    causes = [hit for hit in hits if hit.rank > SYMPTOM + 5]
    return [hit for hit in hits if not told(hit)]


def _after_ready(hits: list[Hit], ready: int | None) -> list[Hit]:
    """Without what was survived: errors before the server reported ready did not end it."""
    if ready is None:
        return hits
    after = [hit for hit in hits if hit.line > ready]
    # SGLang and TorchServe listen before the warm-up or the workers are done, and can still give up.
    if any(hit.failure.key in _GAVE_UP for hit in after):
        return after
    return [hit for hit in after if hit.rank >= SPECIFIC - 5 and hit.cause in _ENDS_A_READY_SERVER]


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
    return [] if any(last < line < end for line in _lines_with(LOAD_MARKS, log)) else hits


def _attempts(log: Log) -> list[int]:
    """Line numbers where attempts begin: at each start banner of the kind that came first."""
    for literal, pattern in BANNERS:
        lines = [number for number in log.find(literal) if pattern.search(log.lines[number][:600])]
        if lines:
            kept = [lines[0]]
            # Several API server processes print the banner side by side; a restart has other lines between.
            kept += [b for a, b in pairwise(lines) if b - a > 3]
            return [0, *kept[1:]] if len(kept) > 1 else [0]
    return [0]


def _ready_lines(log: Log) -> list[int]:
    return _lines_with(READY_MARKS, log)


def _lines_with(marks: Iterable[tuple[str, re.Pattern[str] | None]], log: Log) -> list[int]:
    return sorted(
        number
        for literal, pattern in marks
        for number in log.find(literal)
        if pattern is None or pattern.search(log.lines[number][:2000])
    )
