"""How the command speaks: JSON when asked, otherwise words; every error names the problem and the fix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from cli.problems import Problem

STATUS_COLOURS = {
    "DEPLOYED": "bold green", "IN_PROGRESS": "cyan", "LOSING": "bold yellow", "NOT_DEPLOYED": "bold red",
    "REFUSED": "bold red",
}  # fmt: skip
_SEVERITY_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


# Without a terminal there is no width to fit into: lines stay whole for grep and for logs.
_PIPE_WIDTH = 240
# What id, endpoint, status, phase, cause and time need beside each other.
_TABLE_WIDTH = 110
RUNNING = ("IN_PROGRESS", "LOSING")


def console(*, stderr: bool = False, file: TextIO | None = None) -> Console:
    """Where the command writes for people."""
    found = Console(highlight=False, stderr=stderr, file=file)
    return found if found.is_terminal else Console(highlight=False, stderr=stderr, file=file, width=_PIPE_WIDTH)


def tell_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def tell_error(problem: Problem, *, as_json: bool = False) -> None:
    """The problem on standard error, one line per finding; as JSON on standard output when asked."""
    if as_json:
        tell_json({"error": str(problem), "status": problem.status, "findings": list(problem.findings)})
        return
    told = console(stderr=True)
    told.print(Text(f"inservice: {problem}", "bold red"), soft_wrap=True)
    tell_findings(problem.findings, told)


def tell_findings(findings: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What was noticed about the request: field, problem and fix."""
    for finding in findings:
        line = Text().append(f"  {finding['severity']:<8}", _SEVERITY_COLOURS.get(finding["severity"], ""))
        line.append(f"{finding['field']}: ", "bold").append(_sentence(finding["message"]))
        line = line.append(f" {finding['fix']}", "dim") if finding.get("fix") else line
        console.print(line, soft_wrap=not console.is_terminal)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ":")) else f"{text}."


def tell_outcome(outcome: Mapping[str, Any], console: Console) -> None:
    """One deployment: status, diagnosis with its proof and cure, and the timeline."""
    status = outcome["status"]
    console.print(
        Text(outcome["endpoint_name"], "bold"), Text(status, STATUS_COLOURS.get(status, "")), outcome["deployment_id"]
    )
    if status in RUNNING:
        console.print(Text(f"  now: {outcome['phase']}{_percent(outcome.get('progress'))}", "cyan"))
    for entry in outcome["timeline"]:
        console.print(Text(f"  {entry['at'][:19].replace('T', ' ')}  ", "dim"), Text(entry["detail"]), sep="")
    if outcome.get("diagnosis"):
        tell_diagnosis(outcome["diagnosis"], console)
    if outcome["status"] == "REFUSED":
        tell_findings(outcome.get("findings") or (), console)
    if outcome.get("cost_usd") is not None:
        console.print(Text(f"  about {outcome['cost_usd']:.2f} USD at list price", "dim"))


def tell_diagnosis(diagnosis: Mapping[str, Any], console: Console, *, indent: str = "  ") -> None:
    """Cause first, then the lines that prove it, then what to do."""
    sure = f"{diagnosis['confidence']:.0%} sure"
    quiet = diagnosis["cause"] in ("HEALTHY", "LOADING", "UNKNOWN")
    console.print(Text(f"{indent}{diagnosis['cause']}", "bold" if quiet else "bold red"), Text(sure, "dim"))
    console.print(Text(f"{indent}{diagnosis['summary']}"))
    for proof in diagnosis["evidence"]:
        # A container may colour its log, or try to steer the terminal; here it is text.
        console.print(Text(f"{indent}│ {Text.from_ansi(proof).plain}", "yellow"))
    if remedy := diagnosis.get("remedy"):
        console.print(Text(indent).append("Fix  ", "bold green").append(remedy["explanation"]))
        for field, value in remedy["changes"].items():
            console.print(Text(f"{indent}     {field} = {json.dumps(value)}", "green"))


def tell_list(outcomes: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Deployments, newest first: one a line, two where a line is too narrow for a table."""
    if not outcomes:
        console.print("There are none.")
    else:
        console.print(_table(outcomes) if console.width >= _TABLE_WIDTH else _stack(outcomes))


def _table(outcomes: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    for heading in ("deployment", "endpoint", "status", "phase", "cause", "since"):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        status = outcome["status"]
        table.add_row(
            outcome["deployment_id"], outcome["endpoint_name"], Text(status, STATUS_COLOURS.get(status, "")),
            outcome["phase"], _cause(outcome), _began(outcome),
        )  # fmt: skip
    return table


def _stack(outcomes: Sequence[Mapping[str, Any]]) -> RenderableType:
    lines = []
    for outcome in outcomes:
        status, told = outcome["status"], _cause(outcome) or outcome["phase"]
        lines.append(Text(outcome["endpoint_name"], "bold"))
        lines[-1].append(f"  {status}", STATUS_COLOURS.get(status, "")).append(f"  {told}", "not bold")
        lines.append(Text(f"  {outcome['deployment_id']}  {_began(outcome)}", "dim"))
    return Text("\n").join(lines)


def _began(outcome: Mapping[str, Any]) -> str:
    return outcome["timeline"][0]["at"][:19].replace("T", " ") if outcome["timeline"] else ""


def _cause(outcome: Mapping[str, Any]) -> str:
    return str((outcome.get("diagnosis") or {}).get("cause", ""))


def _percent(progress: float | None) -> str:
    return "" if progress is None else f", {progress:.0%}"


def say(line: str) -> None:
    """One plain line, at once, for logs and pipes."""
    print(line, flush=True)
