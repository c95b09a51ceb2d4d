"""How the command speaks: JSON when asked, otherwise words; every error names the problem and the fix."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.api import ApiError

STATUS_COLOURS = {
    "DEPLOYED": "bold green", "IN_PROGRESS": "cyan", "LOSING": "bold yellow", "NOT_DEPLOYED": "bold red",
    "REFUSED": "bold red",
}  # fmt: skip
_SEVERITY_COLOURS = {"error": "bold red", "warning": "yellow", "info": "cyan"}


# Without a terminal there is no width to fit into: lines stay whole for grep and for logs.
_PIPE_WIDTH = 240


def console(*, stderr: bool = False) -> Console:
    """Where the command writes for people."""
    found = Console(highlight=False, stderr=stderr)
    return found if found.is_terminal else Console(highlight=False, stderr=stderr, width=_PIPE_WIDTH)


def tell_json(document: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(document, indent=2, ensure_ascii=False))


def tell_error(problem: ApiError, *, as_json: bool = False) -> None:
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
        line = Text(f"  {finding['severity']:<8}", _SEVERITY_COLOURS.get(finding["severity"], ""))
        line.append(f"{finding['field']}: ", "bold").append(finding["message"])
        console.print(line.append(f" {finding['fix']}", "dim") if finding.get("fix") else line)


def tell_outcome(outcome: Mapping[str, Any], console: Console) -> None:
    """One deployment: status, diagnosis with its proof and cure, and the timeline."""
    status = outcome["status"]
    console.print(
        Text(outcome["endpoint_name"], "bold"), Text(status, STATUS_COLOURS.get(status, "")), outcome["deployment_id"]
    )
    for entry in outcome["timeline"]:
        console.print(Text(f"  {entry['at'][:19].replace('T', ' ')}  ", "dim"), Text(entry["detail"]), sep="")
    if outcome.get("diagnosis"):
        tell_diagnosis(outcome["diagnosis"], console)
    if outcome["status"] == "REFUSED":
        tell_findings(outcome.get("findings") or (), console)
    if outcome.get("cost_usd") is not None:
        console.print(Text(f"  about {outcome['cost_usd']:.2f} USD at list price", "dim"))


def tell_diagnosis(diagnosis: Mapping[str, Any], console: Console) -> None:
    """Cause first, then the lines that prove it, then what to do."""
    sure = f"{diagnosis['confidence']:.0%} sure"
    console.print(Text(f"  {diagnosis['cause']}", "bold red"), Text(sure, "dim"))
    console.print(Text(f"  {diagnosis['summary']}"))
    for proof in diagnosis["evidence"]:
        console.print(Text(f"  │ {proof}", "yellow"))
    if remedy := diagnosis.get("remedy"):
        console.print(Text("  Fix  ", "bold green").append(remedy["explanation"], "default"))
        for field, value in remedy["changes"].items():
            console.print(Text(f"       {field} = {json.dumps(value)}", "green"))


def tell_list(outcomes: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Deployments, one a line, newest first."""
    table = Table(box=None, padding=(0, 2), pad_edge=False, header_style="dim")
    for heading in ("deployment", "endpoint", "status", "phase", "cause", "since"):
        table.add_column(heading, overflow="fold")
    for outcome in outcomes:
        status = outcome["status"]
        began = outcome["timeline"][0]["at"][:19].replace("T", " ") if outcome["timeline"] else ""
        cause = (outcome.get("diagnosis") or {}).get("cause", "")
        table.add_row(
            outcome["deployment_id"], outcome["endpoint_name"], Text(status, STATUS_COLOURS.get(status, "")),
            outcome["phase"], cause, began,
        )  # fmt: skip
    console.print(table if outcomes else "No deployments yet.")


def say(line: str) -> None:
    """One plain line, at once, for logs and pipes."""
    print(line, flush=True)
