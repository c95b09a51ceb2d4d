"""What collectors of logs and programs around a server put before each line it printed, taken off again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from textwrap import dedent

# A prefix is a carrier's when at least four lines in five have it: people paste their own commands between.
_FOUR_IN_FIVE = 0.8
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
_COLLECTORS = tuple(
    re.compile(prefix)
    for prefix in (
        # Docker Compose (and SageMaker's local mode), `kubectl logs --prefix`, `docker logs -t`, a node's own files.
        r"[\w.-]{1,80} +\| ?",
        r"\[pod/[^\]]{1,160}\] ",
        rf"{_ISO}\.\d{{9}}(?:Z|[+-]\d\d:\d\d) (?:std(?:out|err) [FP] )?",
        # journald, with either kind of time.
        rf"(?:[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d|{_ISO}\S{{0,12}}) [\w.-]{{1,60}} [\w.@/-]{{1,60}}\[\d+\]: ",
        # `aws logs tail`, CloudWatch's console, its events and its exports as comma-separated values.
        rf"{_ISO}[\d.]*\+00:00 \S{{1,60}}/i-[0-9a-f]+ ",
        rf"{_ISO}\.\d{{3}}(?:Z|[+-]\d\d:\d\d)(?:\t| \| )",
        r"(?:\d{13}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})(?:,\"?|[ \t])",
        # `gcloud logging`: its level is the stream's, not the line's.
        rf"[A-Z]{{4,9}} {_ISO}[\d.]*Z (?:\[resource\.labels\.\w+: [^\]]{{1,80}}\] )?",
        # Ray Serve, where the server runs as its replica.
        r"\(Serve\w+[^()]{0,80} pid=\d+[^()]{0,40}\) ",
        # Numbered lines, and quoted ones.
        r"\s{0,6}\d{1,6}(?:: |\t)",
        r"(?:>\s)+",
    )
)
# Stern, and collectors that name the container: one and the same name before each line.
_NAME = re.compile(r"[a-z][a-z0-9.]*-[a-z0-9.-]+ (?:[a-z][a-z0-9-]{0,40} (?=\S))?")
# A program of one's own that starts the server and logs all it prints as information.
_PROGRAMS = tuple(
    re.compile(prefix)
    for prefix in (
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - \S{1,60} - INFO - ",
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d[,.]\d{3} INFO \S{1,60}: ",
    )
)
# What a server's own lines begin with.
_OWN_HEAD = re.compile(
    r"[(\[]|\d{4}-\d\d-\d\d|[IWEF]\d{4} |(?:ERROR|WARN|WARNING|INFO|Traceback|Warning|Normal)\b|exec\b|"
    r"\s+File |[\w.]*(?:[Ee]rror|Exception|Killed)\b|\S+: (?:line \d|error: )|usage: "
)


def uncarried(lines: list[str]) -> list[str]:
    """The lines, as many as there were, without what carried them here."""
    if lines and all(line[:1].isspace() or not line for line in lines):
        lines = dedent("\n".join(lines)).split("\n")
    for collector in _COLLECTORS:
        lines = _without(collector, lines)
    name = _NAME.match(lines[0]) if lines else None
    if name:
        lines = _without(re.compile(re.escape(name[0])), lines)
    for program in _PROGRAMS:
        inner = _without(program, lines)
        lines = inner if speak_for_themselves(inner) else lines
    return lines


def speak_for_themselves(lines: Iterable[str]) -> bool:
    """Whether lines have heads of their own, so that another's before them is not theirs."""
    return any(_OWN_HEAD.match(line) for line in lines)


def _without(prefix: re.Pattern[str], lines: list[str]) -> list[str]:
    # Of a long log, a hundred lines tell whether it is worth while to look at all.
    some = lines[:: max(1, len(lines) // 100)]
    if not any(map(prefix.match, some)):
        return lines
    found = [prefix.match(line) for line in lines]
    if sum(match is not None for match in found) < _FOUR_IN_FIVE * len(lines):
        return lines
    return [_rest(line, match) if match else line for line, match in zip(lines, found, strict=True)]


def _rest(line: str, prefix: re.Match[str]) -> str:
    rest = line[prefix.end() :]
    # Comma-separated values double the quotes within their own.
    return rest.removesuffix('"').replace('""', '"') if prefix[0].endswith(',"') else rest
