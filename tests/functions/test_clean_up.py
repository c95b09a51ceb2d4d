"""CleanUp: what this deployment made, nothing else, and not while SageMaker refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.contracts import Endpoint
from inservice.errors import Unavailable
from inservice.ports import EndpointDescription
from inservice.provisioning.alarms import alarm_names
from inservice.provisioning.definitions import define

ROLE = "arn:aws:iam::000000000000:role/container"


@pytest.fixture
def made(request_: Any, plan: Any, hosting: Any) -> Any:
    """Model and config as Provision makes them."""
    found = define(request_, plan, deployment_id="d-1", role_arn=ROLE, now=datetime.now(UTC))
    hosting.create_model(found.models[0])
    hosting.create_endpoint_config(found.config)
    hosting.asked.clear()
    return found


@pytest.fixture
def clean_up(app: Any, hosting: Any, alarms: Any, journal: Any, request_: Any, plan: Any, made: Any) -> Any:
    def run(created: bool = True, previous: str | None = None, keep: bool = False, tries: int = 0) -> dict[str, Any]:
        endpoint = Endpoint(
            endpoint_name="llama-3-8b-chat", endpoint_arn="arn:e", endpoint_config_name=made.config_name,
            model_names=made.model_names, variant_name="AllTraffic", created=created, previous_config_name=previous,
            log_group="g", started_at=datetime.now(UTC),
        )  # fmt: skip
        event = {"deployment_id": "d-1", "attempt": 1, "request": request_.as_json(), "plan": plan.as_json()}
        event |= {"endpoint": endpoint.as_json(), "keep": keep, "tries": tries}
        return app("clean_up").handler(
            event, hosting=hosting, alarms=alarms, journal=journal, execution_role_arn=ROLE, clock=Clock()
        )

    return run


def test_a_failed_endpoint_goes_first_then_its_config_and_model_and_once_more_is_no_harm(
    clean_up: Any, hosting: Any, made: Any
) -> None:
    hosting.endpoint = EndpointDescription("Failed", made.config_name)
    assert not clean_up()["done"]
    assert hosting.configs, "the config of an endpoint that is still there stays"
    hosting.endpoint = EndpointDescription("Deleted")
    assert clean_up()["done"]
    assert (hosting.configs, hosting.models) == ({}, {})
    again = clean_up()
    assert (again["done"], again["removed"], again["remaining"]) == (True, [], [])


def test_an_endpoint_whose_creation_was_not_answered_is_removed_all_the_same(
    app: Any, hosting: Any, alarms: Any, secrets: Any, journal: Any, table: Any, request_: Any, plan: Any
) -> None:
    """A random sequence found it: CreateEndpoint succeeded, DescribeEndpoint did not, and the execution was stopped."""
    table.create("d-1", {"status": "IN_PROGRESS"})
    describe, absent = hosting.describe_endpoint, [EndpointDescription("Deleted")]

    def describes_once(name: str) -> EndpointDescription:
        if absent:
            return absent.pop()
        raise Unavailable("try again")

    hosting.describe_endpoint = describes_once
    event = {"deployment_id": "d-1", "attempt": 1, "request": request_.as_json(), "plan": plan.as_json()}
    ports = {"hosting": hosting, "alarms": alarms, "journal": journal, "execution_role_arn": ROLE, "clock": Clock()}
    with pytest.raises(Unavailable):
        app("provision").handler({**event, "waits": 0}, secrets=secrets, **ports)
    hosting.describe_endpoint = describe
    hosting.endpoint = EndpointDescription("InService", next(iter(hosting.configs)))
    cleaned = app("clean_up").handler({**event, "endpoint": None, "keep": False, "tries": 0}, **ports)
    assert cleaned["removed"] == ["endpoint llama-3-8b-chat"]


def test_an_endpoint_that_is_creating_is_waited_for_and_named_at_the_limit(
    clean_up: Any, hosting: Any, made: Any
) -> None:
    hosting.endpoint = EndpointDescription("Creating", made.config_name)
    waiting = clean_up()
    assert (waiting["done"], "delete_endpoint" in hosting.asked) == (False, False)
    last = clean_up(tries=400)
    assert last["done"]
    assert any("endpoint llama-3-8b-chat" in name for name in last["remaining"])


def test_a_live_endpoint_on_another_config_is_never_touched(clean_up: Any, hosting: Any, made: Any) -> None:
    hosting.endpoint = EndpointDescription("InService", "old")
    hosting.configs["old"] = {"ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": made.model_names[0]}]}
    assert clean_up(created=False, previous="old")["done"]
    assert "delete_endpoint" not in hosting.asked
    assert set(hosting.configs) == {"old"}
    assert set(hosting.models) == set(made.model_names), "the old config serves with the same model"


def test_an_update_whose_answer_failed_goes_back_to_what_served_before(clean_up: Any, hosting: Any, made: Any) -> None:
    hosting.endpoint = EndpointDescription("InService", made.config_name)
    hosting.configs["old"] = {"ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "old-model"}]}
    assert not clean_up(created=False, previous="old")["done"]
    assert hosting.asked == ["update_endpoint"]
    assert hosting.endpoint.config_name == "old"


def test_a_failed_endpoint_is_kept_when_asked(clean_up: Any, hosting: Any, made: Any) -> None:
    hosting.endpoint = EndpointDescription("Failed", made.config_name)
    kept = clean_up(keep=True)
    assert (kept["done"], kept["removed"]) == (True, [])
    assert hosting.configs


def test_the_alarms_of_an_update_go_when_the_endpoint_has_settled(
    clean_up: Any, hosting: Any, alarms: Any, made: Any
) -> None:
    for name in alarm_names("llama-3-8b-chat", "d-1"):
        alarms.put({"AlarmName": name})
    hosting.endpoint = EndpointDescription("Updating", made.config_name)
    clean_up(created=False, previous="old")
    assert len(alarms.there) == 2, "SageMaker still reads them"
    hosting.endpoint = EndpointDescription("InService", "old")
    assert sum(name.startswith("alarm ") for name in clean_up(created=False, previous="old")["removed"]) == 2
    assert alarms.there == {}
