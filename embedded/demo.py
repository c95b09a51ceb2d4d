"""`make demo`: one request from the API to a chat answer and a Slack message, on a stack of its own."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.rule import Rule
from rich.status import Status
from rich.text import Text

from cli.api import service_of
from cli.deploy import show_plan
from cli.following import follow
from cli.problems import ApiError
from cli.telling import tell_diagnosis, tell_error
from embedded.building import PROJECT
from embedded.programs import PartFailed
from embedded.slack_drawing import drawn
from embedded.stack import Stack, running

REQUEST = PROJECT / "events" / "api-llama3-8b.json"
# Ten minutes on SageMaker in about twenty seconds, still slow enough to be watched.
TIME_SCALE = 30.0
_SLACK_SECONDS = 30.0
_QUESTION = "Say hello and tell me in one sentence who you are."


def main(arguments: list[str]) -> int:
    """Plays the request given as a file, or the one that started this project; 0 only if all of it happened."""
    console = Console(highlight=False)
    try:
        request = json.loads((Path(arguments[0]) if arguments else REQUEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        console.print(f"The request cannot be read: {problem}", style="bold red")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return _play(request, console)
    except PartFailed as failure:
        console.print(Text(str(failure), "red"))
    except ApiError as problem:
        tell_error(problem)
    except KeyboardInterrupt:
        return 130
    return 1


def _play(request: Any, console: Console) -> int:
    began = time.monotonic()
    scale = float(os.environ.get("TIME_SCALE") or TIME_SCALE)
    # A folder of its own, so that a `make up` here keeps its announcement.
    with tempfile.TemporaryDirectory(prefix="inservice-demo-") as folder, _Parts(console, began) as parts:
        with running(time_scale=scale, directory=Path(folder), report=parts.begin) as stack:
            parts.end()
            told = _deploy(stack, request, console)
            parts.begin("stopping everything")
        parts.end()
    console.print(
        Text(f"{'All of it happened' if told else 'Not deployed'}, in {time.monotonic() - began:.0f} s.", "bold")
    )
    return 0 if told else 1


def _deploy(stack: Stack, request: Any, console: Console) -> bool:
    """The request's way through the deployed stack; true when it ended with an answer and a message."""
    service = service_of(asdict(stack))
    console.print(Rule("the request and its plan"))
    accepted = service.call("POST", "/deployments", request)
    show_plan(accepted, console)
    console.print(Rule(f"the deployment, {stack.time_scale:g} times as fast"))
    outcome = follow(service, accepted["deployment_id"], console=console)
    deployed = outcome["status"] == "DEPLOYED"
    if deployed:
        _chat(stack, outcome["endpoint_name"], console)
    elif outcome["diagnosis"]:
        console.print(Rule("the diagnosis"))
        tell_diagnosis(outcome["diagnosis"], console)
    return _show_message(stack, outcome, console) and deployed


def _chat(stack: Stack, endpoint_name: str, console: Console) -> None:
    """One question through InvokeEndpoint; ApiError when the endpoint does not answer it."""
    console.print(Rule("one chat through InvokeEndpoint"))
    body = {"messages": [{"role": "user", "content": _QUESTION}], "max_tokens": 80}
    try:
        response = stack.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=endpoint_name, ContentType="application/json", Body=json.dumps(body)
        )
        answer = json.load(response["Body"])["choices"][0]["message"]["content"]
    except (BotoCoreError, ClientError, LookupError, TypeError, ValueError) as problem:
        raise ApiError(f"the endpoint did not answer a chat: {problem!r}") from None
    console.print(Text("  you    ", "dim").append(_QUESTION, "default"))
    console.print(Text("  model  ", "dim").append(answer, "bold"))


def _show_message(stack: Stack, outcome: Mapping[str, Any], console: Console) -> bool:
    """The Slack message about this outcome, drawn; false when none came."""
    console.print(Rule("the Slack message"))
    deadline = time.monotonic() + _SLACK_SECONDS
    while time.monotonic() < deadline:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(stack.slack_url, timeout=5) as answer:
            messages = json.load(answer)
        # An early verdict comes before the outcome; the outcome is the last word.
        if messages and _is_final(messages[-1]["body"], outcome):
            console.print(drawn(messages[-1]["body"]))
            return True
        time.sleep(0.25)
    console.print("No message came.", style="bold red")
    return False


def _is_final(message: Mapping[str, Any], outcome: Mapping[str, Any]) -> bool:
    return message["text"].startswith({"DEPLOYED": "✅", "NOT_DEPLOYED": "❌", "REFUSED": "⛔"}[outcome["status"]])


class _Parts:
    """The set-up's parts as they come: a spinner for the one under way, a line with its time for the ones behind."""

    def __init__(self, console: Console, began: float) -> None:
        self._console, self._began = console, began
        self._part: str | None = None
        self._spinner: Status | None = None

    def __enter__(self) -> _Parts:
        return self

    def begin(self, part: str) -> None:
        """The part before is behind."""
        self.end()
        self._part = part
        if self._console.is_terminal:
            self._spinner = self._console.status(part)
            self._spinner.start()

    def end(self) -> None:
        """The part under way is behind."""
        if self._spinner is not None:
            self._spinner.stop()
        if self._part:
            self._console.print(
                Text(f"  {time.monotonic() - self._began:5.1f} s  ", "dim").append(self._part, "default")
            )
        self._part = self._spinner = None

    def __exit__(self, kind: object, *_: object) -> None:
        if self._spinner is not None:
            self._spinner.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
