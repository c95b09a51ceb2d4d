"""Where the next log read starts, and which lines of it are new."""

from __future__ import annotations

import hashlib

from inservice.contracts import Endpoint, Watch
from inservice.ports import LogLine

# CloudWatch delivers lines seconds to a minute late, so each read goes back this far and drops what it has seen.
OVERLAP_MS = 60_000
# Ids remembered; at most a few KB of Step Functions state.
_MOST_IDS = 400


def since_ms(previous: Watch, endpoint: Endpoint) -> int:
    """Unix milliseconds at which the next log read starts; never before the endpoint was started."""
    started = int(endpoint.started_at.timestamp() * 1000)
    # A re-created endpoint of the same name writes into the old log group.
    return max(started, previous.log_cursor_ms - OVERLAP_MS) if previous.log_cursor_ms else started


def new_lines(lines: list[LogLine], previous: Watch, endpoint: Endpoint) -> list[LogLine]:
    """The lines not seen at an earlier look, oldest first."""
    seen = set(previous.seen_event_ids)
    since = since_ms(previous, endpoint)
    fresh: list[LogLine] = []
    for line in sorted(lines, key=lambda line: line.at_ms):
        identity = _identity(line)
        if line.at_ms >= since and identity not in seen:
            seen.add(identity)
            fresh.append(line)
    return fresh


def moved(previous: Watch, fresh: list[LogLine]) -> tuple[int, tuple[str, ...]]:
    """The cursor after this look, and the ids of lines the next read will meet again."""
    cursor = max([previous.log_cursor_ms, *(line.at_ms for line in fresh)])
    again = [_identity(line) for line in fresh if line.at_ms >= cursor - OVERLAP_MS]
    return cursor, tuple([*previous.seen_event_ids, *again][-_MOST_IDS:])


def _identity(line: LogLine) -> str:
    """A short stand-in for the event id (CloudWatch's own are 56 characters), or for the line where there is none."""
    source = line.event_id or f"{line.at_ms}|{line.stream}|{line.message}"
    return hashlib.blake2s(source.encode(), digest_size=4).hexdigest()
