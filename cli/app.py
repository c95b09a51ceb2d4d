"""The `inservice` command: reads its arguments and hands over to one module per sub-command."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from cli import deploy, diagnose, fit, logs, looking, plan
from cli.api import ApiError, find_service
from cli.telling import tell_error


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one sub-command and returns its exit status; 2 for input that cannot be read, 130 after Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
    except ApiError as problem:
        tell_error(problem, as_json=getattr(options, "json", False))
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # What read our output has closed it; the interpreter must not complain while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="inservice",
        description="Gets a large language model to InService on SageMaker, or says why it cannot.",
        epilog="The stack is found from INSERVICE_API_URL, else .embedded/stack.json here, else the AWS profile's "
        "CloudFormation stack `inservice`.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_planning, _add_diagnose, _add_deploy, _add_looking, _add_logs):
        add(commands)
    return parser


_Commands = argparse._SubParsersAction  # type: ignore[type-arg]


def _command(
    commands: _Commands, name: str, help: str, run: Callable[[argparse.Namespace], int],
    argument: tuple[str, str] | None,
) -> argparse.ArgumentParser:  # fmt: skip
    command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    if argument:
        command.add_argument(argument[0].lower(), metavar=argument[0], help=argument[1])
    command.add_argument("--json", action="store_true", help="print JSON on standard output")
    command.set_defaults(run=run)
    return command


def _add_planning(commands: _Commands) -> None:
    request = ("FILE", "a DeploymentRequest as JSON, or - for standard input")
    _command(commands, "plan", "say what would run, what was changed and why; nothing is created", _plan, request)
    points = ("FILE", "measured points, one JSON object a line")
    _command(commands, "fit", "say for each measured point whether the model fits the GPU", _fit, points)


def _add_diagnose(commands: _Commands) -> None:
    help = "find the cause in a log, with the lines that prove it and the fix"
    command = _command(commands, "diagnose", help, _diagnose, None)
    source = "a log, - for standard input, or CASES.jsonl (JSON in, JSON out)"
    command.add_argument("file", metavar="FILE", nargs="?", help=source)
    command.add_argument("--endpoint", metavar="NAME", help="an endpoint's own log and FailureReason instead of a file")
    command.add_argument("--failure-reason", metavar="TEXT", help="the endpoint's FailureReason, if you have it")


def _add_deploy(commands: _Commands) -> None:
    request = ("FILE", "a DeploymentRequest as JSON, or - for standard input")
    command = _command(commands, "deploy", "start a deployment and follow it; 0 deployed, 1 not", _deploy, request)
    command.add_argument("--detach", action="store_true", help="start it and return")


def _add_looking(commands: _Commands) -> None:
    name = ("NAME", "a deployment's id or an endpoint's name")
    _command(commands, "status", "show where a deployment stands", _status, name)
    listing = _command(commands, "list", "list deployments, newest first", _list, None)
    listing.add_argument("--endpoint", metavar="NAME", help="only this endpoint's")
    listing.add_argument("--status", help="only these, such as DEPLOYED or NOT_DEPLOYED")
    listing.add_argument("--cause", help="only with this cause, such as STARTUP_TIMEOUT")
    listing.add_argument("--limit", type=int, default=20, help="at most so many (20)")
    _command(commands, "stop", "stop a deployment and clean up after it", _stop, name)
    _command(commands, "open", "open a deployment's timeline in the browser", _open, name)


def _add_logs(commands: _Commands) -> None:
    name = ("NAME", "an endpoint's name or a deployment's id")
    command = _command(commands, "logs", "print an endpoint's log, to the last line", _logs, name)
    command.add_argument("--follow", "-f", action="store_true", help="go on until the deployment has ended")


def _plan(options: argparse.Namespace) -> int:
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return plan.run(options.file, json_output=options.json, region=region)


def _fit(options: argparse.Namespace) -> int:
    return fit.run(options.file, sys.stdout) if _is_file(options.file, "a .jsonl of measured points") else 2


def _diagnose(options: argparse.Namespace) -> int:
    if options.endpoint:
        return diagnose.of_endpoint(options.endpoint, json_output=options.json, client=find_service().client)
    if options.file is None:
        print("inservice diagnose: give a file, - or --endpoint NAME", file=sys.stderr)
        return 2
    if options.file != "-" and not _is_file(options.file, "a log, a .jsonl of cases, or -"):
        return 2
    return diagnose.run(options.file, json_output=options.json, failure_reason=options.failure_reason)


def _is_file(path: str, instead: str) -> bool:
    if Path(path).is_file():
        return True
    print(f"inservice: there is no file {path}; give {instead}", file=sys.stderr)
    return False


def _deploy(options: argparse.Namespace) -> int:
    return deploy.run(options.file, detach=options.detach, json_output=options.json)


def _status(options: argparse.Namespace) -> int:
    return looking.status(options.name, json_output=options.json)


def _list(options: argparse.Namespace) -> int:
    return looking.list_all(
        endpoint=options.endpoint, status=options.status, cause=options.cause, limit=options.limit,
        json_output=options.json,
    )  # fmt: skip


def _stop(options: argparse.Namespace) -> int:
    return looking.stop(options.name, json_output=options.json)


def _open(options: argparse.Namespace) -> int:
    return looking.open_page(options.name, json_output=options.json)


def _logs(options: argparse.Namespace) -> int:
    return logs.run(options.name, follow=options.follow, json_output=options.json)
