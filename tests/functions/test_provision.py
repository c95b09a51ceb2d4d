"""Provision: creates, updates, repeats itself without harm, waits for a name, and says what it will not touch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.ports import EndpointDescription

ROLE = "arn:aws:iam::000000000000:role/container"


@pytest.fixture
def provision(app: Any, hosting: Any, alarms: Any, secrets: Any, journal: Any, request_: Any, plan: Any) -> Any:
    def run(waits: int = 0, **fields: Any) -> dict[str, Any]:
        event = {
            "deployment_id": "d-1",
            "attempt": 1,
            "request": {**request_.as_json(), **fields},
            "plan": plan.as_json(),
        }
        ports = {"hosting": hosting, "alarms": alarms, "secrets": secrets, "journal": journal}
        return app("provision").handler({**event, "waits": waits}, **ports, execution_role_arn=ROLE, clock=Clock())

    return run


def test_twice_is_one_endpoint(provision: Any, hosting: Any) -> None:
    first, second = provision(), provision()
    assert first["endpoint"]["created"]
    assert second["endpoint"]["created"]
    assert second["endpoint"]["endpoint_config_name"] == first["endpoint"]["endpoint_config_name"]
    assert hosting.asked.count("create_endpoint") == 1


def test_the_token_reaches_sagemaker_and_nothing_else(provision: Any, hosting: Any, table: Any) -> None:
    answer = provision()
    [model] = hosting.models.values()
    assert model["PrimaryContainer"]["Environment"]["HUGGING_FACE_HUB_TOKEN"] == "hf_canary"
    assert "hf_canary" not in str(answer) + str(table.items)


def test_an_own_image_of_an_unknown_version_finds_its_token_under_either_name(
    app: Any, hosting: Any, alarms: Any, secrets: Any, journal: Any, request_: Any, plan: Any
) -> None:
    own = plan.model_copy(update={"server_version": None, "image_uri": "1.dkr.ecr.x.amazonaws.com/tgi:mine"})
    event = {"deployment_id": "d-1", "attempt": 1, "waits": 0, "request": request_.as_json(), "plan": own.as_json()}
    ports = {"hosting": hosting, "alarms": alarms, "secrets": secrets, "journal": journal}
    app("provision").handler(event, **ports, execution_role_arn=ROLE, clock=Clock())
    [model] = hosting.models.values()
    found = model["PrimaryContainer"]["Environment"]
    assert found["HF_TOKEN"] == found["HUGGING_FACE_HUB_TOKEN"] == "hf_canary"


def test_a_repeated_update_still_knows_what_served_before(provision: Any, hosting: Any) -> None:
    hosting.endpoint = EndpointDescription("InService", "old", created_at=datetime.now(UTC))
    ours = provision()["endpoint"]["endpoint_config_name"]
    hosting.endpoint = EndpointDescription("Updating", ours, served_config_name="old", modified_at=datetime.now(UTC))
    assert provision()["endpoint"]["previous_config_name"] == "old"


def test_a_live_endpoint_is_updated_and_its_variant_keeps_its_name(provision: Any, hosting: Any) -> None:
    hosting.endpoint = EndpointDescription("InService", "old", created_at=datetime.now(UTC))
    hosting.configs["old"] = {"ProductionVariants": [{"VariantName": "blue", "ModelName": "m"}]}
    endpoint = provision()["endpoint"]
    assert (endpoint["created"], endpoint["previous_config_name"], endpoint["variant_name"]) == (False, "old", "blue")
    assert "update_endpoint" in hosting.asked


def test_a_failed_endpoint_that_holds_the_name_is_deleted_and_waited_for(provision: Any, hosting: Any) -> None:
    hosting.endpoint = EndpointDescription("Failed", "other")
    assert provision()["wait_seconds"]
    assert provision()["wait_seconds"], "it is Deleting now"
    hosting.endpoint = EndpointDescription("Deleted")
    assert provision()["endpoint"]["created"]


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"])
def test_somebody_elses_change_is_waited_for_but_not_forever(provision: Any, hosting: Any, status: str) -> None:
    hosting.endpoint = EndpointDescription(status, "other")
    assert provision()["wait_seconds"]
    assert status in provision(waits=40)["refusal"]
    assert "create_model" not in hosting.asked


def test_a_mix_of_two_versions_is_left_to_people(provision: Any, hosting: Any) -> None:
    hosting.endpoint = EndpointDescription("UpdateRollbackFailed", "other")
    assert "UpdateRollbackFailed" in provision()["refusal"]
    assert hosting.asked == []


@pytest.mark.parametrize("strategy", ["canary", "linear", "rolling"])
def test_an_update_that_bakes_has_alarms_of_its_own(provision: Any, hosting: Any, alarms: Any, strategy: str) -> None:
    hosting.endpoint = EndpointDescription("InService", "old", created_at=datetime.now(UTC))
    provision(update={"strategy": strategy, "alarms": []})
    [update] = hosting.updates
    used = [alarm["AlarmName"] for alarm in update["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]]
    assert used == list(alarms.there)
    [errors, latency] = alarms.there.values()
    watched = {dimension["Name"]: dimension["Value"] for dimension in errors["Dimensions"]}
    assert watched["EndpointConfigName"] == update["EndpointConfigName"], "the old fleet's errors undo nothing"
    assert latency["Threshold"] == 45_000_000, "CloudWatch has ModelLatency in microseconds"


@pytest.mark.parametrize("update", [{"strategy": "all_at_once"}, {"strategy": "canary", "alarms": ["mine"]}])
def test_nothing_is_made_where_nothing_bakes_or_the_user_watches(
    provision: Any, hosting: Any, alarms: Any, update: dict[str, Any]
) -> None:
    hosting.endpoint = EndpointDescription("InService", "old", created_at=datetime.now(UTC))
    provision(update=update)
    assert alarms.there == {}


def test_a_new_endpoint_needs_no_alarm(provision: Any, alarms: Any) -> None:
    provision(update={"strategy": "canary"})
    assert alarms.there == {}
