"""The `inservice` command: reads its arguments and hands over to one module per sub-command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cli import diagnose


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one sub-command and returns its exit status; 2 for input that cannot be read."""
    options = _parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inservice", description="Says why a model server did not start.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("diagnose", help="find the cause in a log, with the lines that prove it and the fix")
    command.add_argument(
        "source", metavar="FILE", help="a log, - for standard input, or CASES.jsonl (JSON in, JSON out)"
    )
    command.add_argument("--failure-reason", metavar="TEXT", help="the endpoint's FailureReason, if you have it")
    command.add_argument("--json", action="store_true", help="print the diagnosis as JSON")
    command.set_defaults(run=_diagnose)
    return parser


def _diagnose(options: argparse.Namespace) -> int:
    if options.source != "-" and not Path(options.source).is_file():
        print(f"inservice: there is no file {options.source}; give a log, a .jsonl of cases, or -", file=sys.stderr)
        return 2
    return diagnose.run(options.source, json_output=options.json, failure_reason=options.failure_reason)
