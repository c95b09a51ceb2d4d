"""Measures what docs/performance.md claims, side by side in one run."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

from inservice.diagnosis import diagnose
from inservice.diagnosis.facts import Facts
from inservice.planning import plan_document
from inservice.planning.fit import fit_point, gpu_total_gib
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
COLLECTED = ROOT.parent / "shared/corpus/dev.jsonl"
SAMPLES = ROOT / "tests/unit/diagnosis/samples"
NO_FAILURE = ("HEALTHY", "LOADING", "UNKNOWN")


def main() -> None:
    """Prints the table."""
    table = Table("what", "figure", title="measured now")
    for row in (*_memory(), _plan(), _lines(), *_causes()):
        table.add_row(*row)
    Console().print(table)


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _memory() -> list[tuple[str, str]]:
    pairs = [(point, fit_point(point)) for point in _read(ROOT / "tests/unit/planning/points.jsonl")]
    known = [(point, answer) for point, answer in pairs if answer["fits"] is not None]
    right = sum(answer["fits"] == (point["outcome"] == "ok") for point, answer in known)
    errors = [abs(a["kv_gib"] - p["kv_gib"]) / (gpu_total_gib(p) or 1) for p, a in known if p.get("kv_gib")]
    return [
        ("fit verdict right", f"{right} of {len(known)} ({len(pairs) - len(known)} left open)"),
        ("KV cache, median error", f"{statistics.median(errors):.1%} of the GPU"),
    ]


def _plan() -> tuple[str, str]:
    request = json.loads((ROOT / "events/api-llama3-8b.json").read_text(encoding="utf-8"))
    plan_document(request)
    return "one plan", f"{_seconds(lambda: plan_document(request), 50) * 1000:.2f} ms"


def _lines() -> tuple[str, str]:
    noise = "\n".join(f"INFO 04-10 08:00:{n % 60:02d} [loggers.py:116] step {n}: 0.0 tokens/s" for n in range(100_000))
    return "100,000 lines diagnosed", f"{_seconds(lambda: diagnose(failure_reason=None, log=noise), 3):.2f} s"


def _seconds(work: Any, times: int) -> float:
    """The median of so many runs."""
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        took.append(time.perf_counter() - begun)
    return statistics.median(took)


def _causes() -> list[tuple[str, str]]:
    """The same failures told by the full log, by its last ERROR line, and by FailureReason alone."""
    files = [COLLECTED] if COLLECTED.exists() else sorted(SAMPLES.glob("*.jsonl"))
    cases = [case for file in files for case in _read(file) if case["label"] not in NO_FAILURE]
    views = {
        "right cause, full log": lambda case: (case["failure_reason"], case["log"], case["config"]),
        "right cause, last ERROR line": lambda case: (None, _last_error(case["log"] or ""), None),
        "right cause, FailureReason alone": lambda case: (case["failure_reason"], None, None),
    }
    return [
        (name, f"{sum(_right(case, view(case)) for case in cases)} of {len(cases)}") for name, view in views.items()
    ]


def _right(case: dict[str, Any], view: tuple[Any, Any, Any]) -> bool:
    reason, log, config = view
    cause = diagnose(failure_reason=reason, log=log, facts=Facts.of(config)).cause
    return cause in {case["label"], case.get("secondary_label"), *case["also"]}


def _last_error(log: str) -> str | None:
    return next((line for line in reversed(log.splitlines()) if "error" in line.lower()), None)


if __name__ == "__main__":
    main()
