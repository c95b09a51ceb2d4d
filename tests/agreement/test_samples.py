"""Each sample in events/ is what its function takes: read by the real command, and run through the real handler."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.deployments.journal import Journal
from inservice.deployments.outcome import Links
from inservice.planning import read_request
from inservice.ports import EndpointDescription, Lookups

from tests.functions.conftest import Alarms, DeadLetters, Hosting, LiveEndpoints, Secrets, Table, Topic

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
DEPLOYMENT_ID = "d-0123456789abcdef0123"
MACHINE: dict[str, Any] = json.loads((ROOT / "statemachine/deployment.asl.json").read_text())["States"]
TASKS = {name: state for name, state in MACHINE.items() if state["Type"] == "Task"}
SAMPLES = {path.stem: json.loads(path.read_text()) for path in sorted(EVENTS.glob("*.json"))}
TABLE = re.findall(r"^\| `([\w-]+)\.json` \| (.+) \|$", (EVENTS / "README.md").read_text(), re.MULTILINE)
# What each answer says that a person would check first.
ANSWERS: dict[str, tuple[str, Any]] = {
    "state-validate": ("accepted", True), "state-provision": ("refusal", None), "state-poll": ("verdict", "going_on"),
    "state-announce": ("status", "LOSING"), "state-smoke_test": ("passed", True), "state-settle": ("removed", []),
    "state-diagnose": ("look_again_seconds", None), "state-clean_up": ("done", True),
    "state-take_over": ("ended", False),
    "state-publish": ("status", "DEPLOYED"), "state-publish-not-deployed": ("status", "NOT_DEPLOYED"),
}  # fmt: skip


def snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def named(prefix: str) -> list[str]:
    return [name for name in SAMPLES if name.startswith(prefix)]


def function_of(sample: str) -> str:
    """The folder of the function that the README names for the sample first."""
    return snake(dict(TABLE)[sample].partition("Function")[0])


class Executions:
    """The state machine, of which every execution that is asked about has ended."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, name: str, payload: dict[str, Any]) -> str:
        self.started.append(name)
        return name

    def stop(self, name: str, reason: str) -> None: ...

    def is_running(self, name: str) -> bool:
        return False


class Silence:
    """A log without lines, instances without metrics, an account without leftovers, an endpoint that answers a chat."""

    def read(self, log_group: str, since_ms: int, *, max_bytes: int) -> list[Any]:
        return []

    def read_both_ends(self, log_group: str, since_ms: int, **_: Any) -> list[Any]:
        return []

    def peaks(self, endpoint_name: str, variant_name: str, **_: Any) -> tuple[Any, ...]:
        return ()

    def owned(self) -> list[Any]:
        return []

    def in_use(self) -> set[tuple[str, str]]:
        return set()

    def invoke(self, endpoint_name: str, body: dict[str, Any]) -> Any:
        return {"choices": [{"message": {"content": "Hello."}}]}


@pytest.fixture
def ports() -> dict[str, Any]:
    """Every port that a function may ask for; the samples' deployment is known."""
    table, links = Table(), Links("us-east-1")
    request, _ = read_request(SAMPLES["api-llama3-8b"])
    assert request is not None
    facts = {"endpoint_name": request.endpoint_name, "status": "IN_PROGRESS", "phase": "queued", "request_hash": "",
             "request": request.as_json(), "created_at": "2026-11-24T12:00:00+00:00", "findings": []}  # fmt: skip
    table.create(DEPLOYMENT_ID, facts)
    noon = datetime(2026, 11, 24, 12, tzinfo=UTC)
    hosting = Hosting(EndpointDescription("Deleted", created_at=noon))
    return {
        "deployments": table, "journal": Journal(table, Clock(), links), "links": links, "clock": Clock(),
        "hosting": hosting, "alarms": Alarms(), "secrets": Secrets(), "announcements": Topic(), "region": "us-east-1",
        "live": LiveEndpoints(), "dead_letters": DeadLetters(), "executions": Executions(), "logs": Silence(),
        "metrics": Silence(),
        "inventory": Silence(), "invocations": Silence(), "lookup": lambda request: Lookups(), "cors_origin": "",
        "execution_role_arn": "arn:aws:iam::123456789012:role/container",
    }  # fmt: skip


def test_the_table_names_every_sample_once_and_no_other() -> None:
    assert sorted(name for name, _ in TABLE) == sorted(SAMPLES)


def test_every_state_and_every_function_has_a_sample() -> None:
    states = {re.sub("-.*", "", name.removeprefix("state-")) for name in named("state-")}
    assert states == {snake(name) for name in TASKS}
    functions = {snake(name) for _, told in TABLE for name in re.findall(r"(\w+)Function", told)}
    assert functions == {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}


@pytest.mark.parametrize("name", named("state-"))
def test_a_states_sample_is_sent_to_the_states_function(name: str) -> None:
    state = next(task for task in TASKS if snake(task) == re.sub("-.*", "", name.removeprefix("state-")))
    assert function_of(name) == snake(TASKS[state]["Arguments"]["FunctionName"].strip("${}").removesuffix("Function"))
    assert set(SAMPLES[name]) == set(TASKS[state]["Arguments"]["Payload"])


@pytest.mark.parametrize("name", named("state-"))
def test_a_states_sample_is_the_command_and_is_answered(app: Any, ports: dict[str, Any], name: str) -> None:
    handler = app(function_of(name)).handler
    assert handler.command.model_validate(SAMPLES[name]).as_json() == SAMPLES[name]
    _as_it_was(name, ports)
    answer = handler(SAMPLES[name], None, **ports)
    field, value = ANSWERS[name]
    assert answer[field] == value, answer
    assert handler.answer.model_validate(answer)


def _as_it_was(name: str, ports: dict[str, Any]) -> None:
    """What the state before left behind, and SageMaker's own view at that moment."""
    if name == "state-announce":
        ports["deployments"].note(DEPLOYMENT_ID, {"status": "LOSING"}, {})
    if name == "state-poll":
        endpoint = SAMPLES[name]["endpoint"]
        began = datetime.fromisoformat(endpoint["started_at"])
        ports["clock"] = Clock(scale=0, epoch=began.timestamp() + 300)
        described = EndpointDescription("Creating", endpoint["endpoint_config_name"], created_at=began)
        ports["hosting"].endpoint = described


@pytest.mark.parametrize(
    ("name", "status"),
    [("gateway-deploy", 202), ("gateway-list", 200), ("gateway-status", 200), ("gateway-stop", 202),
     ("gateway-token-plan", 200)],
)  # fmt: skip
def test_a_gateways_sample_is_answered_as_the_contract_says(
    app: Any, ports: dict[str, Any], name: str, status: int
) -> None:
    if name == "gateway-deploy":
        ports["deployments"] = Table()
    assert app("api").handler(SAMPLES[name], None, **ports)["statusCode"] == status


@pytest.mark.parametrize("name", ["eventbridge-execution-aborted", "eventbridge-hourly"])
def test_the_nets_samples_are_followed(app: Any, ports: dict[str, Any], name: str) -> None:
    """RedeployFunction's and SlackFunction's samples are followed in tests/functions."""
    if name == "eventbridge-hourly":
        assert app("sweep").handler(SAMPLES[name], None, **ports)["found"] == {}
    else:
        used = {port: ports[port] for port in ("deployments", "executions")}
        assert app("safety_net").handler(SAMPLES[name], None, **used) == {"closed": True}
        assert used["executions"].started == [f"{DEPLOYMENT_ID}-close"]


@pytest.mark.parametrize("name", [name for name in SAMPLES if not name.startswith(("slack-", "api-"))])
def test_a_sample_names_no_account_but_the_documentations(name: str) -> None:
    text = json.dumps(SAMPLES[name])
    # AWS's own accounts serve the images.
    accounts = set(re.findall(r"(?<!\d)\d{12}(?!\d)", text)) - {"763104351884", "123456789012"}
    assert not [account for account in accounts if f":{account}:" in text]
