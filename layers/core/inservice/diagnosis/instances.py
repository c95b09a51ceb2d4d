"""Whose line is it: while an endpoint is updated, old and new instances write into one log group."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from inservice.diagnosis.progress import mark_of
from inservice.ports import LogLine


class Instances:
    """Tells instances that are being started from those that serve: each has a log stream of its own.

    An instance that serves answers SageMaker's pings every few seconds, and uvicorn prints each answer; other servers
    print the requests they answer. So the first telling line of a stream says which kind it is. `known` holds that by
    a short stand-in for the stream's name, to be carried from one look to the next.
    """

    def __init__(self, known: Mapping[str, bool] | None = None) -> None:
        self.known = dict(known or {})

    def may_start(self, line: LogLine) -> bool:
        """False for a line of an instance that serves; to be asked in the lines' order."""
        return self._starts(line) is not False

    def starting(self, lines: Iterable[LogLine]) -> list[LogLine]:
        """The lines of streams that show a start, those before their first telling line included."""
        told = list(lines)
        for line in told:
            self._starts(line)
        return [line for line in told if self.known.get(_stand_in(line.stream))]

    def _starts(self, line: LogLine) -> bool | None:
        stream = _stand_in(line.stream)
        if stream not in self.known and (mark := mark_of(line.message)):
            self.known[stream] = mark.phase != "ready"
        return self.known.get(stream)


def never_ready(lines: Iterable[LogLine]) -> list[LogLine]:
    """The lines of streams without a server that became ready: what failed, beside what has served."""
    told = list(lines)
    ready = {line.stream for line in told if (mark := mark_of(line.message)) and mark.phase == "ready"}
    return [line for line in told if line.stream not in ready]


def _stand_in(stream: str) -> str:
    return hashlib.blake2s(stream.encode(), digest_size=4).hexdigest()
