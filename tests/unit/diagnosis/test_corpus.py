"""How often the diagnosis is right: on collected logs of real failures, and on samples of our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from inservice.contracts import Diagnosis
from inservice.diagnosis import diagnose
from inservice.diagnosis.cases import answer
from inservice.diagnosis.facts import Facts
from inservice.diagnosis.failures import LOG_FAILURES, REASON_FAILURES
from inservice.diagnosis.progress import banner_of
from inservice.watching.losing import conclusive

HERE = Path(__file__).parent
PING = "The primary container for production variant AllTraffic did not pass the ping health check."
NO_FAILURE = {"HEALTHY", "LOADING", "UNKNOWN"}


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# A file for each server. What a set of them showed before anything was mended for it stands in docs/performance.md.
OWN = [case for file in sorted((HERE / "samples").glob("*.jsonl")) for case in _read(file)]
# Logs that others published stay where they were collected, beside the project.
COLLECTED = HERE.parents[3] / "shared/corpus/dev.jsonl"
CORPUS = _read(COLLECTED) if COLLECTED.exists() else []
_BESIDE = pytest.mark.skipif(not CORPUS, reason="the collected logs are not beside this checkout")
SETS = [pytest.param(CORPUS, id="collected logs", marks=_BESIDE), pytest.param(OWN, id="own samples")]


def right(case: dict[str, Any], cause: str) -> bool:
    return cause in {case["label"], case.get("secondary_label"), *case["also"]}


def judged(some: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Diagnosis, bool]]:
    for case in some:
        found = diagnose(failure_reason=case["failure_reason"], log=case["log"], facts=Facts.of(case["config"]))
        yield case, found, right(case, found.cause)


@pytest.mark.parametrize("some", SETS)
def test_the_cause_is_right(some: list[dict[str, Any]]) -> None:
    wrong = [(case["id"], found.cause, found.confidence) for case, found, good in judged(some) if not good]
    assert 1 - len(wrong) / len(some) >= 0.97, wrong


@pytest.mark.parametrize("some", SETS)
def test_confidence_keeps_its_promise(some: list[dict[str, Any]]) -> None:
    """Of the answers given with 0.9, nine in ten are right; of those with 0.8, at most three in a hundred are wrong."""
    results = [(found.confidence, good) for _, found, good in judged(some)]
    sure = [good for confidence, good in results if confidence >= 0.9]
    fairly = [good for confidence, good in results if confidence >= 0.8]
    assert sum(sure) >= 0.9 * len(sure)
    assert len(fairly) - sum(fairly) <= 0.03 * len(fairly)
    assert len(fairly) > len(results) / 2, "a diagnosis that is never sure is of no use"


@pytest.mark.parametrize("some", SETS)
def test_what_is_said_and_advised_is_of_the_cause(some: list[dict[str, Any]]) -> None:
    """Where the lines around a failure decide for another cause, its own words would lead astray."""
    of_another: dict[str, set[str]] = {}
    for failure in (*LOG_FAILURES, *REASON_FAILURES):
        of_another.setdefault(failure.says, set()).add(failure.cause)
    for case, found, _ in judged(some):
        said = of_another.get(found.summary.split(" Seen in ")[0], {found.cause})
        # Of what is only a symptom, its own words are all there is to say.
        assert found.cause == "CRASH_UNKNOWN" or found.cause in said, (case["id"], found.cause, found.summary)


@pytest.mark.parametrize("some", SETS)
def test_evidence_is_verbatim(some: list[dict[str, Any]]) -> None:
    for case, found, _ in judged(some):
        given = f"{case['log'] or ''}\n{case['failure_reason'] or ''}"
        for line in found.evidence:
            known = line in given or line.split(": ")[0] in ("image_uri", "inference_ami_version")
            assert known, (case["id"], line)
        if found.cause not in NO_FAILURE:
            assert found.evidence, case["id"]


# An exception that a server goes on from looks like any other until it does; `watching` waits for a restart there.
HEALTHY_STARTS = [
    case for case in CORPUS + OWN if case["label"] in ("HEALTHY", "LOADING") and not case["id"].startswith("retried-")
]


@pytest.mark.parametrize("case", HEALTHY_STARTS, ids=lambda case: case["id"])
def test_no_alarm_on_any_prefix_of_a_healthy_start(case: dict[str, Any]) -> None:
    lines = case["log"].splitlines()
    for end in range(1, len(lines) + 1):
        found = diagnose(failure_reason=None, log="\n".join(lines[:end]))
        assert found.cause in NO_FAILURE, (end, found)


# Before its last so many lines a start has hardly begun to fail, and every cut costs time.
LAST = 12
FAILED_STARTS = [
    case
    for case in CORPUS + OWN
    if case["log"] and not {case["label"], case.get("secondary_label"), *case["also"]} & {*NO_FAILURE, "CRASH_UNKNOWN"}
]


@pytest.mark.slow
def test_no_prefix_of_a_failed_start_is_surely_something_else() -> None:
    """What is told while a server is still printing its error is told of the whole error."""
    wrong = []
    for case in FAILED_STARTS:
        lines = case["log"].splitlines()
        for end in range(max(1, len(lines) - LAST), len(lines)):
            found = diagnose(failure_reason=None, log="\n".join(lines[:end]), facts=Facts.of(case["config"]))
            if conclusive(found) and not right(case, found.cause):
                wrong.append((case["id"], end, found.cause))
    assert wrong == []


@pytest.mark.slow
def test_a_crash_loop_that_the_window_cuts_off_is_diagnosed_from_what_it_told_whole() -> None:
    """A window ends anywhere in a start: before the error comes back, or while it is being printed."""
    wrong, tried = [], 0
    for case in FAILED_STARTS:
        lines = case["log"].splitlines()
        if not 3 < len(lines) < 60 or not banner_of(lines[0]) or diagnosed(lines, case).confidence < 0.6:
            continue
        tried += 1
        for end in range(max(1, len(lines) - LAST), len(lines)):
            found = diagnosed(lines + lines[:end], case)
            if not right(case, found.cause):
                wrong.append((case["id"], end, found.cause))
    assert tried > 100
    assert wrong == []


def diagnosed(lines: list[str], case: dict[str, Any]) -> Diagnosis:
    return diagnose(failure_reason=PING, log="\n".join(lines), facts=Facts.of(case["config"]))


NOISE = [f"INFO 04-10 08:{n // 60 % 60:02d}:{n % 60:02d} [loggers.py:116] step {n}: 0.0 tokens/s" for n in range(400)]
LONG = f"INFO 04-10 08:00:00 [api_server.py:1045] args: Namespace({', '.join(f'option_{n}=None' for n in range(30))})"
SHAPES = {
    "noise before": lambda lines: NOISE + lines,
    "noise after": lambda lines: lines + NOISE,
    "cloudwatch events": lambda lines: [json.dumps({"timestamp": 1, "message": line}) for line in lines],
    "exported": lambda lines: [f"17150000{number:05d} {line}" for number, line in enumerate(lines)],
    "exported as values": lambda lines: [f"""1715000000123,"{line.replace('"', '""')}\"""" for line in lines],
    "docker compose": lambda lines: [f"chat-server-1  | {line}" for line in lines],
    "docker's own file": lambda lines: [json.dumps({"log": f"{line}\n", "stream": "stderr"}) for line in lines],
    "kubectl": lambda lines: [f"[pod/chat-0/server] {line}" for line in lines],
    "stern": lambda lines: [f"chat-7d9f8c6b5-x2v4q server {line}" for line in lines],
    "a node's own file": lambda lines: [f"2025-03-02T10:00:00.123456789Z stderr F {line}" for line in lines],
    "journald": lambda lines: [f"Mar 02 10:00:00 gpu-host docker[1234]: {line}" for line in lines],
    "another cloud's": lambda lines: [f"INFO 2025-03-02T10:00:00.123456789Z {line}" for line in lines],
    "one level for all": lambda lines: [json.dumps({"level": "info", "message": line}) for line in (NOISE[0], *lines)],
    "indented": lambda lines: [f"    {line}" for line in lines],
    # Some line has to show that two programs speak; a lone headless line could be the outer one's own.
    "logged by a program around it": lambda lines: [
        f"2025-06-27 12:57:51,690 - run - INFO - {line}" for line in ("WARNING: one thread only", *lines)
    ],
    "coloured": lambda lines: [f"\x1b[2m{line}\x1b[0m" for line in lines],
    "three starts": lambda lines: ["INFO vLLM API server version 0.9", *["INFO a"] * 5, *lines] * 3,
    "carriage returns": lambda lines: ["\r".join(lines)],
    "last sixty lines": lambda lines: lines[-60:],
    # Short logs have few lines that reach the edge; real ones begin with what the server was told.
    "copied from a terminal": lambda lines: [row for line in (LONG, *lines) for row in _rows(line, 120)],
    "copied from a terminal that fills its rows": lambda lines: [
        row.ljust(100) for line in (LONG, *lines) for row in _rows(line, 100)
    ],
}


def _rows(line: str, width: int) -> list[str]:
    return [line[at : at + width] for at in range(0, len(line), width)]


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_cause_does_not_depend_on_the_shape_of_the_log(shape: str) -> None:
    # Each shape has another third of the cases: what one of them misses, its neighbours see.
    some = [case for case in CORPUS + OWN if case["log"]][list(SHAPES).index(shape) % 3 :: 3]
    shaped = [case | {"log": "\n".join(SHAPES[shape](case["log"].splitlines()))} for case in some]
    wrong = [(case["id"], found.cause) for case, found, good in judged(shaped) if not good]
    assert len(wrong) <= 0.02 * len(some), wrong


def test_a_case_that_cannot_be_used_is_answered_with_an_error() -> None:
    assert "error" in answer([1])
    assert answer({"id": "a", "log": 3}) == {"id": "a", "error": "log must be a string or null"}
    assert answer({"id": "b"})["cause"] == "UNKNOWN"
