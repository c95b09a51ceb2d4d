"""`inservice diagnose`: why a start failed, for a person with a log or a file of cases."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

from inservice.adapters.hosting import SageMakerHosting
from inservice.adapters.logs import CloudWatchLogs
from inservice.contracts import Diagnosis
from inservice.diagnosis import diagnose
from inservice.diagnosis.cases import answer_line
from rich.console import Console
from rich.text import Text

# What is read of an endpoint's log at most.
_MOST_BYTES = 4_000_000


def run(
    source: str,
    *,
    json_output: bool,
    log_text: str | None = None,
    failure_reason: str | None = None,
    out: TextIO = sys.stdout,
) -> int:
    """Diagnoses a .jsonl of cases, a log file, or `-` for stdin; 0 when done, 2 when the source cannot be read."""
    try:
        if log_text is None and failure_reason is None and source.endswith(".jsonl"):
            return _answer_cases(source, out)
        log = log_text if log_text is not None else _read(source)
    except OSError as unreadable:
        print(f"inservice diagnose: cannot read {source}: {unreadable.strerror or unreadable}", file=sys.stderr)
        return 2
    return _tell(diagnose(failure_reason=failure_reason, log=log), json_output, out)


def of_endpoint(name: str, *, json_output: bool, client: Callable[[str], Any], out: TextIO = sys.stdout) -> int:
    """Diagnoses an endpoint from SageMaker's FailureReason and its log in CloudWatch; 2 when there is neither."""
    seen = SageMakerHosting(client("sagemaker")).describe_endpoint(name)
    # A log group outlives its endpoint, and the next endpoint of that name writes into it.
    since = int(seen.created_at.timestamp() * 1000) if seen.created_at else 0
    lines = CloudWatchLogs(client("logs")).read(f"/aws/sagemaker/Endpoints/{name}", since, max_bytes=_MOST_BYTES)
    if seen.status == "Deleted" and lines is None:
        print(f"inservice diagnose: there is neither an endpoint {name} nor a log of it", file=sys.stderr)
        return 2
    log = "\n".join(line.message for line in lines) if lines else None
    return _tell(diagnose(failure_reason=seen.failure_reason, log=log), json_output, out)


def _tell(found: Diagnosis, json_output: bool, out: TextIO) -> int:
    if json_output:
        print(json.dumps(found.as_json(), ensure_ascii=False), file=out)
    else:
        _show(found, Console(file=out, highlight=False))
    return 0


def _answer_cases(source: str, out: TextIO) -> int:
    with Path(source).open(encoding="utf-8", errors="replace", newline="\n") as cases:
        for line in cases:
            if line.strip():
                print(json.dumps(answer_line(line), ensure_ascii=True), file=out, flush=True)
    return 0


def _read(source: str) -> str:
    if source == "-":
        return sys.stdin.buffer.read().decode(errors="replace")
    return Path(source).read_text(encoding="utf-8", errors="replace")


def _show(found: Diagnosis, console: Console) -> None:
    """Cause first, then the lines that prove it, then what to do."""
    quiet = found.cause in ("HEALTHY", "LOADING", "UNKNOWN")
    console.print(
        Text(found.cause, style="bold" if quiet else "bold red"), Text(f"{found.confidence:.0%} sure", style="dim")
    )
    console.print(Text(found.summary))
    if found.evidence:
        console.print()
        for line in found.evidence:
            console.print(Text(f"  │ {line}", style="yellow"))
    if found.remedy:
        console.print()
        console.print(Text("Fix  ", style="bold green").append(found.remedy.explanation, style="default"))
        for field, value in found.remedy.changes.items():
            console.print(Text(f"     {field} = {json.dumps(value)}", style="green"))
