"""What must agree: state machine, functions, template, commands and samples."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from inservice.planning import read_request

ROOT = Path(__file__).parents[2]
MACHINE = json.loads((ROOT / "statemachine/deployment.asl.json").read_text())
TEMPLATE = (ROOT / "template.yaml").read_text()
STATES: dict[str, dict[str, Any]] = MACHINE["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}


def folder_of(task: dict[str, Any]) -> str:
    name = task["Arguments"]["FunctionName"].strip("${}").removesuffix("Function")
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def following(state: dict[str, Any]) -> set[str]:
    arrows = {state.get("Next"), state.get("Default")}
    arrows |= {rule["Next"] for rule in (*state.get("Choices", []), *state.get("Catch", []))}
    return {arrow for arrow in arrows if arrow}


def test_every_arrow_leads_to_a_state_and_every_state_can_be_reached() -> None:
    reached, waiting = set(), {MACHINE["StartAt"]}
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= following(STATES[name]) - reached
    assert reached == set(STATES)


def test_every_path_ends_in_deployed_or_not_deployed() -> None:
    ends = {name for name, state in STATES.items() if not following(state)}
    assert {name: STATES[name]["Type"] for name in ends} == {"Deployed": "Succeed", "NotDeployed": "Fail"}


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_bounded_retried_and_caught(name: str) -> None:
    task = TASKS[name]
    assert 0 < task["TimeoutSeconds"] <= 900
    assert task["Retry"]
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", TASKS)
def test_a_task_sends_exactly_what_its_function_takes(app: Any, name: str) -> None:
    command = app(folder_of(TASKS[name])).handler.command
    sent = set(TASKS[name]["Arguments"]["Payload"])
    needed = {field for field, info in command.model_fields.items() if info.is_required()}
    assert needed <= sent <= set(command.model_fields)


@pytest.mark.parametrize("name", TASKS)
def test_what_is_read_from_an_answer_is_in_it(app: Any, name: str) -> None:
    answer = app(folder_of(TASKS[name])).handler.answer
    read = set(re.findall(r"\$states\.result\.Payload\.(\w+)", json.dumps(TASKS[name].get("Assign", {}))))
    choice = STATES[TASKS[name]["Next"]]
    if choice["Type"] == "Choice":
        read |= set(re.findall(r"\$states\.input\.(\w+)", json.dumps(choice)))
    assert read <= set(answer.model_fields)


def test_every_error_name_that_is_retried_exists() -> None:
    names = {error for task in TASKS.values() for rule in task["Retry"] for error in rule["ErrorEquals"]}
    import inservice.errors

    ours = {name for name in names if not name.startswith(("States.", "Lambda."))}
    assert ours
    assert all(hasattr(inservice.errors, name) for name in ours)


def test_the_template_knows_every_function_and_no_other() -> None:
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}
    assert set(re.findall(r"CodeUri: functions/(\w+)", TEMPLATE)) == folders
    substitutes = set(re.findall(r"^        (\w+Function): !Ref \1\.Version", TEMPLATE, re.MULTILINE))
    assert substitutes == {task["Arguments"]["FunctionName"].strip("${}") for task in TASKS.values()}


def test_every_environment_variable_that_is_needed_is_set() -> None:
    sources = [*(ROOT / "functions").glob("*/app.py"), ROOT / "layers/core/inservice/adapters/wiring.py"]
    needed = {name for path in sources for name in re.findall(r'environ(?:ment)?\["(\w+)"\]', path.read_text())}
    # AWS_REGION is set by Lambda itself.
    assert needed - {"AWS_REGION"} <= set(re.findall(r"^\s+([A-Z_]+): ", TEMPLATE, re.MULTILINE))


@pytest.mark.parametrize("path", sorted((ROOT / "events").glob("api-*.json")), ids=lambda path: path.stem)
def test_a_sample_is_a_request(path: Path) -> None:
    request, mistakes = read_request(json.loads(path.read_text()))
    assert request is not None
    assert mistakes == ()


def test_the_layer_describes_every_service_that_is_called() -> None:
    sources = "\n".join(
        path.read_text() for folder in ("functions", "layers/core") for path in ROOT.glob(f"{folder}/**/*.py")
    )
    called = set(re.findall(r"\bclient\(\"([a-z0-9-]+)\"", sources))
    [listed] = re.findall(r"^SERVICES := (.+)$", (ROOT / "layers/dependencies/Makefile").read_text(), re.MULTILINE)
    assert called == set(listed.split()) - {"xray"}, "xray is the tracer's own"
