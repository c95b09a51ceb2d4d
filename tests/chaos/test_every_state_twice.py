"""Every state runs twice, as a retry or a redrive makes it: nothing is made, told or counted a second time."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded.stack import running
from tests.workflow.caller import Caller
from tests.workflow.leftovers import leftovers

pytestmark = [pytest.mark.stack, pytest.mark.slow]

PROJECT = Path(__file__).parents[2]
QWEN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge", "server": "vllm"}
SHORT = {"health_check_timeout_seconds": 120, "force": True}
ONCE = {"repair": {"max_attempts": 0}}
# Its window leaves time for a look, and so for an early verdict, on a machine that has much else to do.
GATED = {"model": {"hub_id": "meta-llama/Meta-Llama-3-8B-Instruct"}, "instance_type": "ml.g5.2xlarge", "force": True,
         "health_check_timeout_seconds": 1800}  # fmt: skip


def doubled(machine: dict[str, Any]) -> dict[str, Any]:
    """The machine in which a call's first answer is lost, so that every function is called twice with one payload."""
    states = machine["States"]
    tasks = [name for name, state in states.items() if state["Type"] == "Task"]
    text = json.dumps(machine)
    for name in tasks:
        text = text.replace(f'"Next": "{name}"', f'"Next": "First{name}"')
        text = text.replace(f'"Default": "{name}"', f'"Default": "First{name}"')
    again: dict[str, Any] = json.loads(text)
    for name in tasks:
        first = {key: value for key, value in again["States"][name].items() if key not in ("Output", "Assign")}
        again["States"][f"First{name}"] = {**first, "Output": "{% $states.input %}", "Next": name}
    return again


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """A stack of the real template with the real functions, and with the doubled machine."""
    folder = tmp_path_factory.mktemp("twice")
    for name in ("functions", "layers", "web"):
        (folder / name).symlink_to(PROJECT / name)
    template = Path(shutil.copy(PROJECT / "template.yaml", folder))
    machine = folder / "statemachine" / "deployment.asl.json"
    machine.parent.mkdir()
    machine.write_text(json.dumps(doubled(json.loads((PROJECT / "statemachine" / machine.name).read_text()))))
    with running(time_scale=120, directory=folder, template=template) as stack:
        yield Caller(stack)


@pytest.fixture(scope="module")
def outcomes(caller: Caller) -> dict[str, dict[str, Any]]:
    """A success, an update, a failed update, a repair, an early verdict; a live endpoint is what an update needs."""
    first = {"serves": QWEN, "repaired": {**QWEN, **SHORT}, "lost": GATED, "late": {**QWEN, **SHORT, **ONCE}}
    then = {"serves": {**QWEN, "max_total_tokens": 2048, "update": {"strategy": "canary"}}}
    last = {"serves": {**QWEN, **SHORT, **ONCE}}
    rounds = [
        caller.outcomes({name: {**request, "endpoint_name": name} for name, request in wave.items()})
        for wave in (first, then, last)
    ]
    return {**rounds[0], "updated": rounds[1]["serves"], "rolled back": rounds[2]["serves"]}


def test_every_function_of_the_machine_was_called_twice(caller: Caller, outcomes: dict[str, dict[str, Any]]) -> None:
    seen: set[str] = set()
    for outcome in outcomes.values():
        made = caller.stack.calls(outcome["deployment_id"])
        for (first, asked), (second, again) in zip(made[::2], made[1::2], strict=True):
            assert (first, asked) == (f"First{second}", again)
            seen.add(second)
    states = json.loads((PROJECT / "statemachine" / "deployment.asl.json").read_text())["States"]
    assert seen == {name for name, state in states.items() if state["Type"] == "Task"} - {"TakeOver"}


def test_the_outcomes_are_what_they_are_when_each_runs_once(outcomes: dict[str, dict[str, Any]]) -> None:
    told = {name: (found["status"], (found["diagnosis"] or {}).get("cause"), len(found["attempts"]))
            for name, found in outcomes.items()}  # fmt: skip
    assert told == {
        "serves": ("DEPLOYED", None, 1), "updated": ("DEPLOYED", None, 1), "repaired": ("DEPLOYED", None, 2),
        "lost": ("NOT_DEPLOYED", "GATED_OR_AUTH", 1), "late": ("NOT_DEPLOYED", "STARTUP_TIMEOUT", 1),
        "rolled back": ("NOT_DEPLOYED", "STARTUP_TIMEOUT", 1),
    }  # fmt: skip


def test_nothing_is_told_twice(caller: Caller, outcomes: dict[str, dict[str, Any]]) -> None:
    expected = {"serves": 3, "repaired": 1, "late": 1, "lost": 2}
    assert {name: len(caller.messages(name, count=count)) for name, count in expected.items()} == expected
    for outcome in outcomes.values():
        entries = Counter((entry["phase"], entry["detail"]) for entry in outcome["timeline"])
        assert max(entries.values()) <= len(outcome["attempts"]), entries


def test_nothing_is_left_behind(caller: Caller, outcomes: dict[str, dict[str, Any]]) -> None:
    assert leftovers(caller.stack, caller.settled()) == []


def test_what_is_redriven_after_it_was_stopped_touches_nothing(caller: Caller) -> None:
    """A redrive calls the state that was under way again, with the payload and the execution's name it had."""
    stopped = caller.deploy({**QWEN, "endpoint_name": "stopped"})
    caller.until(stopped, lambda seen: seen["phase"] not in ("queued", "provision"))
    assert caller.call("DELETE", f"/deployments/{stopped}")[0] == 202
    caller.outcome(stopped)
    # The calls after the outcome was written, such as publishing it, are counted too.
    assert caller.execution(f"{stopped}-close")["status"] == "FAILED"
    before = caller.outcome(stopped)
    assert [name for name, _ in caller.stack.calls(f"{stopped}-close")][:2] == ["FirstTakeOver", "TakeOver"]
    functions = caller.stack.client("lambda")
    for _, asked in caller.stack.calls(stopped):
        answer = functions.invoke(FunctionName=asked["FunctionName"], Payload=json.dumps(asked["Payload"]))
        assert json.load(answer["Payload"])["errorType"] == "Superseded"
    assert caller.outcome(stopped) == before
    assert (caller.left("stopped"), len(caller.messages("stopped"))) == ([], 1)
