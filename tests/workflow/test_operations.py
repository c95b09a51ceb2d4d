"""Each row of docs/operations.md that is about SageMaker's own moods, through the deployed stack."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]

QWEN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge", "server": "vllm"}
SMALL = {"model": {"hub_id": "Qwen/Qwen2.5-3B-Instruct"}, "server": "tgi"}


def told(outcome: dict[str, Any]) -> str:
    return " ".join(entry["detail"] for entry in outcome["timeline"])


def verdict(outcome: dict[str, Any]) -> tuple[str, str | None]:
    return outcome["status"], (outcome["diagnosis"] or {}).get("cause")


def test_without_capacity_the_next_named_type_is_taken_and_none_twice(caller: Any) -> None:
    caller.faults(capacity={"ml.g6.2xlarge": 0, "ml.p3.2xlarge": 0})
    alone, pooled, later = (
        caller.deploy({**QWEN, "endpoint_name": "cap-alone", "instance_type": "ml.g6.2xlarge"}),
        caller.deploy({**QWEN, "endpoint_name": "cap-pool", "instance_type": "ml.g6.2xlarge",
                       "fallback_instance_types": ["ml.g5.2xlarge"]}),
        caller.deploy({**SMALL, "endpoint_name": "cap-later", "instance_type": "ml.p3.2xlarge", "force": True,
                       "fallback_instance_types": ["ml.g5.2xlarge"], "repair": {"max_attempts": 0}}),
    )  # fmt: skip
    assert (verdict(caller.outcome(pooled)), len(caller.outcome(pooled)["attempts"])) == (("DEPLOYED", None), 1)
    assert verdict(caller.outcome(alone)) == ("NOT_DEPLOYED", "CAPACITY")
    outcome = caller.outcome(later)
    assert outcome["status"] == "DEPLOYED", "it was named by the user, so it needs neither a grant nor a repair"
    first, second = outcome["attempts"]
    assert first["diagnosis"]["cause"] == "CAPACITY"
    assert second["changes"] == {"instance_type": "ml.g5.2xlarge", "fallback_instance_types": []}
    ledger = outcome["ledger"]
    assert [entry["instance_hours"] > 0 for entry in ledger["attempts"]] == [False, True]
    assert ledger["estimate"]
    assert ledger["total_usd"] == outcome["cost_usd"] > ledger["orchestration_usd"] > 0


def test_a_quota_that_is_used_up_refuses_a_second_endpoint_and_a_second_fleet(caller: Any) -> None:
    kind = {**QWEN, "instance_type": "ml.g6.4xlarge"}
    caller.faults(quota={"ml.g6.4xlarge": 1})
    assert caller.outcome(caller.deploy({**kind, "endpoint_name": "quota-one"}))["status"] == "DEPLOYED"
    other = caller.deploy({**kind, "endpoint_name": "quota-two"})
    update = caller.deploy({**kind, "endpoint_name": "quota-one", "max_total_tokens": 2048})
    assert verdict(caller.outcome(other)) == ("NOT_DEPLOYED", "QUOTA")
    assert verdict(caller.outcome(update)) == ("NOT_DEPLOYED", "QUOTA")
    assert "SageMaker refused" in told(caller.outcome(update))
    found = caller.stack.client("sagemaker").describe_endpoint(EndpointName="quota-one")
    assert found["EndpointStatus"] == "InService"


def test_a_failed_endpoint_is_kept_to_be_looked_at_when_asked(caller: Any) -> None:
    request = {**QWEN, "endpoint_name": "kept", "health_check_timeout_seconds": 60, "force": True}
    request |= {"on_failure": {"keep_endpoint": True}, "repair": {"max_attempts": 0}}
    assert verdict(caller.outcome(caller.deploy(request))) == ("NOT_DEPLOYED", "STARTUP_TIMEOUT")
    sagemaker = caller.stack.client("sagemaker")
    found = sagemaker.describe_endpoint(EndpointName="kept")
    assert found["EndpointStatus"] == "Failed"
    assert caller.sweep("report")["found"] == {}, "the sweep knows that it was to be kept"
    config = sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    sagemaker.delete_endpoint(EndpointName="kept")
    sagemaker.delete_endpoint_config(EndpointConfigName=config["EndpointConfigName"])
    sagemaker.delete_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    until(lambda: "kept" not in caller.left("kept"))


def test_an_endpoint_deleted_under_our_feet_is_said_to_be_gone(caller: Any) -> None:
    caller.faults(status={"feet": "Creating"})
    deployment_id = caller.deploy({**QWEN, "endpoint_name": "feet"})
    until(lambda: _simulated(caller, "feet") == "InService")
    caller.stack.client("sagemaker").delete_endpoint(EndpointName="feet")
    caller.faults(status={})
    outcome = caller.outcome(deployment_id)
    assert outcome["status"] == "NOT_DEPLOYED"
    assert "Somebody deleted the endpoint" in outcome["diagnosis"]["summary"]


def test_what_holds_the_endpoint_is_waited_for_and_named(caller: Any) -> None:
    names = ("hold-deleting", "hold-system", "hold-mixed", "hold-config")
    first = [caller.deploy({**QWEN, "endpoint_name": name}) for name in names]
    assert {caller.outcome(one)["status"] for one in first} == {"DEPLOYED"}
    sagemaker = caller.stack.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName="hold-deleting")
    caller.faults(status={"hold-system": "SystemUpdating", "hold-mixed": "UpdateRollbackFailed"})
    config = sagemaker.describe_endpoint(EndpointName="hold-config")["EndpointConfigName"]
    sagemaker.delete_endpoint_config(EndpointConfigName=config)
    again = [caller.deploy({**QWEN, "endpoint_name": name, "max_total_tokens": 2048}) for name in names]
    deleting, system, mixed, config_gone = (caller.outcome(one) for one in again)
    assert deleting["status"] == "DEPLOYED"
    assert "The endpoint is Deleting; waiting" in told(deleting)
    assert system["status"] == mixed["status"] == "NOT_DEPLOYED"
    assert "has been SystemUpdating for 10 minutes" in told(system)
    assert "UpdateRollbackFailed: it serves a mix of two versions" in told(mixed)
    assert config_gone["status"] == "DEPLOYED", "an update needs no old config"


def test_an_endpoint_that_is_out_of_service_is_looked_at_until_every_window_is_over(caller: Any) -> None:
    caller.faults(status={"unserved": "OutOfService"})
    short = {"health_check_timeout_seconds": 60, "download_timeout_seconds": 60, "force": True}
    request = {**QWEN, **short, "endpoint_name": "unserved", "repair": {"max_attempts": 0}}
    outcome = caller.outcome(caller.deploy(request))
    assert outcome["status"] == "NOT_DEPLOYED"
    assert "past every window" in told(outcome)
    assert caller.left("unserved") == []


def test_an_answer_that_is_none_is_not_deployed_and_an_update_goes_back(caller: Any) -> None:
    live = {**QWEN, "endpoint_name": "mute-update"}
    assert caller.outcome(caller.deploy(live))["status"] == "DEPLOYED"
    before = caller.stack.client("sagemaker").describe_endpoint(EndpointName="mute-update")["EndpointConfigName"]
    rules = [{"operation": "InvokeEndpoint", "endpoint": name, "code": "ModelError", "message": "no", "status": 424}
             for name in ("mute", "mute-update")]  # fmt: skip
    caller.faults(errors=rules)
    new = caller.deploy({**QWEN, "endpoint_name": "mute", "repair": {"max_attempts": 0}})
    update = caller.deploy({**live, "max_total_tokens": 2048, "repair": {"max_attempts": 0}})
    for outcome in (caller.outcome(new), caller.outcome(update)):
        assert outcome["status"] == "NOT_DEPLOYED"
        assert "The smoke test failed" in told(outcome)
    assert caller.left("mute") == [name for name in caller.left("mute") if name.startswith("mute-update")]
    found = caller.stack.client("sagemaker").describe_endpoint(EndpointName="mute-update")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)


def test_a_remedy_is_not_tried_when_it_is_not_granted_or_too_dear(caller: Any) -> None:
    late = {**QWEN, "health_check_timeout_seconds": 120, "force": True}
    asked = caller.deploy({**late, "endpoint_name": "ungranted", "repair": {"allow": ["tokens"]}})
    dear = caller.deploy({**late, "endpoint_name": "dear", "max_cost_usd": 0.55})
    outcome = caller.outcome(asked)
    assert verdict(outcome) == ("NOT_DEPLOYED", "STARTUP_TIMEOUT")
    assert "repair.allow does not grant timeouts" in told(outcome)
    assert len(outcome["attempts"]) == 1
    outcome = caller.outcome(dear)
    assert (len(outcome["attempts"]), "max_cost_usd is 0.55" in told(outcome)) == (1, True)


def test_throttled_looks_are_repeated(caller: Any) -> None:
    caller.faults(errors=[{"operation": "DescribeEndpoint", "endpoint": "throttled", "share": 0.3, "seed": 7}])
    assert caller.outcome(caller.deploy({**QWEN, "endpoint_name": "throttled"}))["status"] == "DEPLOYED"


def test_what_could_not_be_removed_is_named_and_swept(caller: Any) -> None:
    request = {**QWEN, "endpoint_name": "stuck", "health_check_timeout_seconds": 60, "force": True}
    caller.faults(denied=[{"operation": "DeleteModel"}])
    outcome = caller.outcome(caller.deploy({**request, "repair": {"max_attempts": 0}}))
    assert outcome["status"] == "NOT_DEPLOYED"
    [model] = caller.left("stuck")
    assert f"Could not be removed: model {model}" in told(outcome)
    assert list(caller.sweep("report")["found"]) == [f"model {model}"]
    caller.faults(denied=[])
    assert caller.sweep("remove")["removed"] == [f"model {model}"]
    assert caller.left("stuck") == []


def until(reached: Any) -> None:
    """Returns when it is so; fails after a minute."""
    ends = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < ends
        time.sleep(0.2)


def _simulated(caller: Any, name: str) -> str | None:
    """The endpoint's status without the fault that hides it."""
    found = caller.resources()["endpoints"]
    return dict(found).get(name)
