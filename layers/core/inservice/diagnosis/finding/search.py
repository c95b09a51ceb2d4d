"""Finds the known failures in a log and picks the one closest to the root."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from inservice.diagnosis.failures import LOG_FAILURES
from inservice.diagnosis.failures.failure import SYMPTOM, Failure
from inservice.diagnosis.failures.memory import WRAPS_ANYTHING
from inservice.diagnosis.finding.chains import causes_of
from inservice.diagnosis.finding.hits import Hit, hits_of
from inservice.diagnosis.finding.starts import KILLED, WRAPPERS, Start, starts_of
from inservice.diagnosis.reading.log import Log

# TGI's last word, "Error: DownloadError", goes to stderr and may overtake the line that says which signal ended it.
_NO_ERROR = KILLED | {"download_process_failed"}


@dataclass(frozen=True)
class Found:
    """What a search brought: the hit closest to the root, all hits of its start, and how often it came back."""

    root: Hit | None
    hits: tuple[Hit, ...]
    starts: int
    repeats: int


def search(log: Log) -> Found:
    """The failure closest to the root, in the last start that has one."""
    hits = _innermost(sorted(hits_of(log, LOG_FAILURES), key=lambda hit: hit.line), log)
    starts = starts_of(log, hits)
    root, start = _last_failure(starts)
    repeats = sum(any(hit.cause == root.cause for hit in some.hits) for some in starts) if root else 0
    return Found(root, start.hits if start else (), len(starts), repeats)


def search_text(text: str, failures: Iterable[Failure]) -> Hit | None:
    """The failure closest to the root in one short text, such as a FailureReason."""
    line = text.replace("\n", " ")
    return choose(list(hits_of(Log((line,), (line,)), failures, any_level=True)))


def _last_failure(starts: list[Start]) -> tuple[Hit | None, Start | None]:
    """The root and its start: the last that tells a cause, told whole, and with no start since that got further."""
    root: Hit | None = None
    chosen: Start | None = None
    for before, start in zip(reversed([None, *starts[:-1]]), reversed(starts), strict=True):
        best = choose(list(start.hits))
        if best and (root is None or root.rank <= SYMPTOM + 5 < best.rank):
            root, chosen = best, start
        if best is None and start.ready and (before is None or start.got_further_than(before)):
            break
        if root and root.rank > SYMPTOM + 5:
            cut = start is starts[-1] and before is not None and start.breaks_off(root, before)
            return (choose(list(before.hits)), before) if cut and before else (root, chosen)
    return root, chosen


def choose(hits: list[Hit]) -> Hit | None:
    """The hit closest to the root: the highest rank, then the earliest line."""
    if not hits:
        return None
    # An error of its own, earlier, explains why a process was killed afterwards: SGLang kills its own process tree.
    raised = [hit.line for hit in hits if hit.failure.key not in _NO_ERROR and (hit.rank > SYMPTOM or hit.raised)]
    left = [hit for hit in hits if hit.failure.key not in KILLED or not any(line < hit.line for line in raised)]
    return max(_unwrapped(left), key=lambda hit: (hit.rank // 10, hit.failure.key not in WRAPPERS, -hit.line, hit.rank))


def _unwrapped(hits: list[Hit]) -> list[Hit]:
    """Without the sentence that wraps anything, when the error it was raised from stands before it."""
    wrapping = {hit.line for hit in hits if hit.failure.key == WRAPS_ANYTHING}
    rest = [hit for hit in hits if hit.line not in wrapping]
    own = (hit for hit in rest if not hit.warned and hit.failure.key not in WRAPPERS | _NO_ERROR)
    return rest if wrapping and any(hit.line < min(wrapping) for hit in own) else hits


def _innermost(hits: list[Hit], log: Log) -> list[Hit]:
    """Without exceptions that were thrown for another one, when that tells a cause as surely."""

    def told(hit: Hit) -> bool:
        inner = causes_of(log, hit.line)
        return bool(inner) and any(other.line in inner and other.rank // 10 >= hit.rank // 10 for other in causes)

    causes = [hit for hit in hits if hit.rank > SYMPTOM + 5]
    return [hit for hit in hits if not told(hit)]
