"""The `inservice` command: reads its arguments and hands over to one module per sub-command.

Those modules are loaded when they are needed: completion at a TAB needs none of them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from cli import completion
from cli.problems import Problem, Unusable


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one sub-command and returns its exit status; 2 for input that cannot be used, 130 after Ctrl-C."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser()
    completion.answer(parser)
    try:
        options = parser.parse_args(given)
        status: int = options.run(options)
    except Problem as problem:
        from cli.telling import tell_error

        tell_error(problem, as_json="--json" in given)
        return problem.exit_status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # What read our output has closed it; the interpreter must not complain while it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """A mistake in the arguments is told like every other problem, as JSON too when that was asked."""
        raise Unusable(f"{message}; see: {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="inservice",
        description="Gets a large language model to InService on SageMaker, or says why it cannot.",
        epilog="The stack is found from INSERVICE_API_URL, else .embedded/stack.json here, else the AWS profile's "
        "CloudFormation stack `inservice`.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for add in (_add_planning, _add_diagnose, _add_deploy, _add_looking, _add_logs, _add_completion):
        add(commands)
    return parser


_Commands = argparse._SubParsersAction  # type: ignore[type-arg]


def _command(
    commands: _Commands, name: str, help: str, run: Callable[[argparse.Namespace], int],
    argument: tuple[str, str] | None, completer: completion.Completer | None = None,
) -> argparse.ArgumentParser:  # fmt: skip
    command: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)
    if argument:
        _complete(command.add_argument(argument[0].lower(), metavar=argument[0], help=argument[1]), completer)
    command.add_argument("--json", action="store_true", help="print JSON on standard output, errors too")
    command.set_defaults(run=run)
    return command


def _complete(argument: argparse.Action, completer: completion.Completer | None) -> None:
    # argcomplete's own way of attaching a completer.
    argument.completer = completer or completion.nothing  # type: ignore[attr-defined]


def _add_planning(commands: _Commands) -> None:
    request = ("FILE", "a DeploymentRequest as JSON, or - for standard input")
    help = "say what would run, what was changed and why; nothing is created"
    _command(commands, "plan", help, _plan, request, completion.files("json"))
    points = ("FILE", "measured points, one JSON object a line, or - for standard input")
    help = "say for each measured point whether the model fits the GPU"
    _command(commands, "fit", help, _fit, points, completion.files("jsonl"))


def _add_diagnose(commands: _Commands) -> None:
    help = "find the cause in a log, with the lines that prove it and the fix"
    command = _command(commands, "diagnose", help, _diagnose, None)
    source = "a log, - for standard input, or CASES.jsonl (JSON in, JSON out)"
    _complete(command.add_argument("file", metavar="FILE", nargs="?", help=source), completion.files())
    endpoint = "an endpoint's own log and FailureReason instead of a file"
    _complete(command.add_argument("--endpoint", metavar="NAME", help=endpoint), completion.endpoints)
    reason = "the endpoint's FailureReason, if you have it"
    _complete(command.add_argument("--failure-reason", metavar="TEXT", help=reason), None)


def _add_deploy(commands: _Commands) -> None:
    request = ("FILE", "a DeploymentRequest as JSON, or - for standard input")
    help = "start a deployment and follow it; 0 deployed, 1 not"
    command = _command(commands, "deploy", help, _deploy, request, completion.files("json"))
    command.add_argument("--detach", action="store_true", help="start it and return")


def _add_looking(commands: _Commands) -> None:
    name = ("NAME", "a deployment's id or an endpoint's name")
    _command(commands, "status", "show where a deployment stands", _status, name, completion.names)
    _add_list(commands)
    _command(commands, "stop", "stop a deployment and clean up after it", _stop, name, completion.running)
    _command(commands, "open", "open a deployment's timeline in the browser", _open, name, completion.names)


def _add_list(commands: _Commands) -> None:
    listing = _command(commands, "list", "list deployments, newest first", _list, None)
    endpoint = listing.add_argument("--endpoint", metavar="NAME", help="only this endpoint's")
    _complete(endpoint, completion.endpoints)
    for name, instance in (("Status", "NOT_DEPLOYED"), ("Cause", "STARTUP_TIMEOUT")):
        help = f"only with this {name.lower()}, such as {instance}"
        only = listing.add_argument(f"--{name.lower()}", metavar=name.upper(), type=_one_of(name), help=help)
        _complete(only, completion.words(name))
    limit = listing.add_argument("--limit", type=_count, default=20, metavar="N", help="at most so many (20)")
    _complete(limit, None)


def _add_logs(commands: _Commands) -> None:
    name = ("NAME", "an endpoint's name or a deployment's id")
    help = "print an endpoint's log, to the last line"
    command = _command(commands, "logs", help, _logs, name, completion.names)
    command.add_argument("--follow", "-f", action="store_true", help="go on until the deployment has ended")


def _add_completion(commands: _Commands) -> None:
    help = 'print a shell\'s completion, for its start-up file: eval "$(inservice completion bash)"'
    command = commands.add_parser("completion", help="print the completion for a shell", description=help)
    command.add_argument("shell", choices=completion.SHELLS)
    command.set_defaults(run=_completion)


def _one_of(name: str) -> Callable[[str], str]:
    """A word of a closed list of the contracts; in whatever case it is written."""

    def read(text: str) -> str:
        known = completion.words_of(name)
        if text.upper() not in known:
            raise argparse.ArgumentTypeError(f"{text} is no {name.lower()}; use one of {', '.join(known)}")
        return text.upper()

    return read


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def _plan(options: argparse.Namespace) -> int:
    from cli import plan

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return plan.run(options.file, json_output=options.json, region=region)


def _fit(options: argparse.Namespace) -> int:
    from cli import fit

    return fit.run(options.file, sys.stdout)


def _diagnose(options: argparse.Namespace) -> int:
    from cli import diagnose

    if options.endpoint:
        return diagnose.of_endpoint(options.endpoint, json_output=options.json)
    if options.file is None:
        raise Unusable("there is nothing to diagnose; give a file, - for standard input, or --endpoint NAME")
    return diagnose.run(options.file, json_output=options.json, failure_reason=options.failure_reason)


def _deploy(options: argparse.Namespace) -> int:
    from cli import deploy

    return deploy.run(options.file, detach=options.detach, json_output=options.json)


def _status(options: argparse.Namespace) -> int:
    from cli import looking

    return looking.status(options.name, json_output=options.json)


def _list(options: argparse.Namespace) -> int:
    from cli import looking

    return looking.list_all(
        endpoint=options.endpoint, status=options.status, cause=options.cause, limit=options.limit,
        json_output=options.json,
    )  # fmt: skip


def _stop(options: argparse.Namespace) -> int:
    from cli import looking

    return looking.stop(options.name, json_output=options.json)


def _open(options: argparse.Namespace) -> int:
    from cli import looking

    return looking.open_page(options.name, json_output=options.json)


def _logs(options: argparse.Namespace) -> int:
    from cli import logs

    return logs.run(options.name, follow=options.follow, json_output=options.json)


def _completion(options: argparse.Namespace) -> int:
    print(completion.script(options.shell))
    return 0
