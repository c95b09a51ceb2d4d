"""The real state machine, through the real handlers, on the deployed stack: what users live through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from embedded.deploying import HUB_TOKEN

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]

QWEN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge", "server": "vllm"}


def test_the_request_that_started_it_all_is_deployed_and_answers(caller: Any, sample: Any) -> None:
    status, answer = caller.call("POST", "/deployments", sample("api-llama3-8b"))
    assert status == 202
    assert {finding["code"] for finding in answer["findings"]} >= {"VOLUME_NOT_ALLOWED", "VERSION_CHANGED"}
    outcome = caller.outcome(answer["deployment_id"])
    assert outcome["status"] == "DEPLOYED"
    assert caller.execution(answer["deployment_id"])["status"] == "SUCCEEDED"
    assert any("It answered: Hello" in entry["detail"] for entry in outcome["timeline"])
    assert caller.messages("llama-3-8b-chat") == ["✅ llama-3-8b-chat is InService"]
    found = caller.stack.client("sagemaker").describe_endpoint(EndpointName="llama-3-8b-chat")
    assert found["EndpointStatus"] == "InService"


def test_the_token_is_nowhere_but_in_the_container(caller: Any, sample: Any) -> None:
    name = "canary"
    deployment_id = caller.deploy(sample("api-llama3-8b", endpoint_name=name))
    outcome = caller.outcome(deployment_id)
    states, table = caller.stack.client("stepfunctions"), caller.stack.client("dynamodb")
    arn = caller.execution(deployment_id)["executionArn"]
    history = states.get_paginator("get_execution_history").paginate(executionArn=arn, includeExecutionData=True)
    items = [table.scan(TableName=found) for found in table.list_tables()["TableNames"]]
    logs = caller.stack.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    lines = [list(logs.get_paginator("filter_log_events").paginate(logGroupName=group)) for group in groups]
    everything = json.dumps([outcome, list(history), items, lines, caller.messages(name)], default=str)
    assert deployment_id in everything
    assert HUB_TOKEN not in everything
    [model] = [name for name in caller.left("canary") if "canary-" in name and _is_model(caller, name)]
    environment = caller.stack.client("sagemaker").describe_model(ModelName=model)["PrimaryContainer"]["Environment"]
    assert HUB_TOKEN in environment.values()


def _is_model(caller: Any, name: str) -> bool:
    listed = caller.stack.client("sagemaker").get_paginator("list_models").paginate()
    return name in {model["ModelName"].lower() for page in listed for model in page["Models"]}


def test_a_window_shorter_than_the_load_ends_not_deployed_with_the_window_to_use(caller: Any, sample: Any) -> None:
    deployment_id = caller.deploy(sample("api-llama3-70b-short-window"))
    outcome = caller.outcome(deployment_id)
    assert outcome["status"] == "NOT_DEPLOYED"
    assert outcome["diagnosis"]["cause"] == "STARTUP_TIMEOUT"
    assert outcome["diagnosis"]["remedy"]["changes"]["health_check_timeout_seconds"] > 600
    assert outcome["diagnosis"]["evidence"]
    execution = caller.execution(deployment_id)
    assert (execution["status"], execution["error"]) == ("FAILED", "STARTUP_TIMEOUT")
    assert caller.left("llama-3-70b-short-window") == []


def test_a_granted_remedy_is_tried_and_the_second_attempt_is_deployed(caller: Any) -> None:
    request = {**QWEN, "endpoint_name": "repaired", "health_check_timeout_seconds": 120, "force": True}
    outcome = caller.outcome(caller.deploy(request))
    assert outcome["status"] == "DEPLOYED"
    first, second = outcome["attempts"]
    assert first["diagnosis"]["cause"] == "STARTUP_TIMEOUT"
    assert set(second["changes"]) == {"health_check_timeout_seconds"}
    assert caller.messages("repaired") == ["✅ repaired is InService after 2 attempts"]


def test_a_lost_start_is_told_while_sagemaker_still_says_creating(caller: Any, sample: Any) -> None:
    request = sample("api-llama3-8b", endpoint_name="no-token", hf_token_secret=None, force=True)
    deployment_id = caller.deploy(request)
    losing = caller.until(deployment_id, lambda seen: seen["status"] == "LOSING")
    assert losing["diagnosis"]["cause"] == "GATED_OR_AUTH"
    assert caller.stack.client("sagemaker").describe_endpoint(EndpointName="no-token")["EndpointStatus"] == "Creating"
    outcome = caller.outcome(deployment_id)
    assert (outcome["status"], outcome["diagnosis"]["cause"]) == ("NOT_DEPLOYED", "GATED_OR_AUTH")
    early, final = caller.messages("no-token", count=2)
    assert "not going to start" in early
    assert "was not deployed" in final
    assert caller.left("no-token") == []


def test_an_update_that_rolls_back_is_not_deployed_and_the_old_version_keeps_serving(caller: Any) -> None:
    request = {**QWEN, "endpoint_name": "updated", "repair": {"max_attempts": 0}}
    assert caller.outcome(caller.deploy(request))["status"] == "DEPLOYED"
    sagemaker = caller.stack.client("sagemaker")
    before = sagemaker.describe_endpoint(EndpointName="updated")["EndpointConfigName"]
    outcome = caller.outcome(caller.deploy({**request, "health_check_timeout_seconds": 60, "force": True}))
    assert outcome["status"] == "NOT_DEPLOYED"
    assert "keeps serving" in outcome["diagnosis"]["summary"]
    found = sagemaker.describe_endpoint(EndpointName="updated")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert sorted(caller.left("updated"))[0] == "updated"
    assert len(caller.left("updated")) == 3, (
        "the live endpoint, its config and its model, and nothing of the failed one"
    )


def test_a_stopped_deployment_is_cleaned_up_and_told(caller: Any) -> None:
    deployment_id = caller.deploy({**QWEN, "endpoint_name": "stopped"})
    caller.until(deployment_id, lambda seen: seen["phase"] != "queued")
    status, _ = caller.call("DELETE", f"/deployments/{deployment_id}")
    assert status == 202
    outcome = caller.outcome(deployment_id)
    assert outcome["status"] == "NOT_DEPLOYED"
    assert "stopped" in outcome["diagnosis"]["summary"]
    assert caller.left("stopped") == []
    assert caller.call("DELETE", f"/deployments/{deployment_id}")[0] == 200
    assert len(caller.messages("stopped")) == 1


def test_an_event_delivered_twice_is_one_deployment(caller: Any) -> None:
    detail = {**QWEN, "endpoint_name": "from-event", "request_id": "release-7"}
    entry = {"Source": "inservice", "DetailType": "Deployment Requested", "Detail": json.dumps(detail)}
    answer = caller.stack.client("events").put_events(Entries=[entry, entry])
    assert answer["FailedEntryCount"] == 0
    status, repeated = caller.call("POST", "/deployments", detail)
    assert status == 202, "the same request id by another door is the same deployment"
    assert caller.outcome(repeated["deployment_id"])["status"] == "DEPLOYED"
    listed = caller.call("GET", "/deployments?endpoint_name=from-event")[1]["deployments"]
    assert [found["deployment_id"] for found in listed] == [repeated["deployment_id"]]


def test_bad_input_starts_nothing_and_leaves_nothing(caller: Any, sample: Any) -> None:
    before = caller.executions()
    assert caller.call("POST", "/deployments", b"{nope")[0] == 400
    assert caller.call("POST", "/deployments", sample("api-llama3-8b"), signed=False)[0] == 403
    wrong = sample("api-llama3-8b", endpoint_name="bad_name", instance_count=0, colour="red")
    status, answer = caller.call("POST", "/deployments", wrong)
    assert status == 422
    fixes = {finding["field"]: finding["fix"] for finding in answer["findings"] if finding["severity"] == "error"}
    assert set(fixes) == {"endpoint_name", "instance_count", "colour"}
    assert all(fixes.values())
    assert caller.call("GET", "/deployments/d-unknown")[0] == 404
    assert caller.executions() == before
    assert caller.left("bad") == []


def test_the_same_request_is_one_deployment_and_another_one_has_to_wait(caller: Any) -> None:
    request = {**QWEN, "endpoint_name": "busy"}
    first, second = caller.deploy(request), caller.deploy(request)
    assert first == second
    status, answer = caller.call("POST", "/deployments", {**request, "instance_count": 2})
    assert status == 409
    assert first in answer["detail"]
    assert caller.outcome(first)["status"] == "DEPLOYED"


def test_a_failed_endpoint_that_holds_the_name_is_replaced(caller: Any) -> None:
    sagemaker = caller.stack.client("sagemaker")
    role = "arn:aws:iam::000000000000:role/somebody"
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/no-such-image:1"
    sagemaker.create_model(ModelName="taken", ExecutionRoleArn=role, PrimaryContainer={"Image": image})
    variant = {"VariantName": "AllTraffic", "ModelName": "taken", "InitialInstanceCount": 1,
               "InstanceType": "ml.g5.2xlarge"}  # fmt: skip
    sagemaker.create_endpoint_config(EndpointConfigName="taken", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="taken", EndpointConfigName="taken")
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.config.delay = 0.3
    with pytest.raises(WaiterError):
        waiter.wait(EndpointName="taken")
    outcome = caller.outcome(caller.deploy({**QWEN, "endpoint_name": "taken"}))
    assert outcome["status"] == "DEPLOYED"
    assert any("having been Failed; waiting" in entry["detail"] for entry in outcome["timeline"])
    sagemaker.delete_endpoint_config(EndpointConfigName="taken")
    sagemaker.delete_model(ModelName="taken")


def test_an_execution_killed_from_outside_still_ends_in_an_outcome_and_a_clean_up(caller: Any) -> None:
    deployment_id = caller.deploy({**QWEN, "endpoint_name": "killed"})
    caller.until(deployment_id, lambda seen: seen["phase"] != "queued")
    arn = caller.stack.execution_arn(deployment_id)
    caller.stack.client("stepfunctions").stop_execution(executionArn=arn, error="Killed", cause="by hand")
    outcome = caller.outcome(deployment_id)
    assert outcome["status"] == "NOT_DEPLOYED"
    assert "without an outcome" in outcome["diagnosis"]["summary"]
    assert caller.left("killed") == []
    assert caller.deploy({**QWEN, "endpoint_name": "killed"}) != deployment_id, "the endpoint is free again"


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"model": {"hub_id": "Qwen/Qwen2.5-32B-Instruct"}}, "GPU_OOM_WEIGHTS"),
        ({"max_total_tokens": 32_000, "instance_type": "ml.g4dn.2xlarge",
          "model": {"hub_id": "Qwen/Qwen2.5-3B-Instruct"}, "environment": {"SM_VLLM_GPU_MEMORY_UTILIZATION": "0.55"}},
         "GPU_OOM_KV_CACHE"),
        ({"model": {"hub_id": "someone/not-there"}, "hf_token_secret": "hf-token"}, "MODEL_NOT_FOUND"),
    ],
    ids=["weights", "cache", "missing"],
)  # fmt: skip
def test_what_emerges_in_the_container_is_diagnosed_through_the_stack(
    caller: Any, fields: dict[str, Any], cause: str
) -> None:
    name = f"emerges-{cause.lower().replace('_', '-')}"
    request = {**QWEN, "force": True, "repair": {"max_attempts": 0}, "health_check_timeout_seconds": 600, **fields}
    outcome = caller.outcome(caller.deploy({**request, "endpoint_name": name}))
    assert (outcome["status"], outcome["diagnosis"]["cause"]) == ("NOT_DEPLOYED", cause)
    assert outcome["diagnosis"]["evidence"]
    assert caller.left(name) == []


def test_a_lease_that_has_ended_is_reported_first_and_removed_when_told(caller: Any) -> None:
    outcome = caller.outcome(caller.deploy({**QWEN, "endpoint_name": "leased", "ttl_hours": 0.01}))
    assert outcome["status"] == "DEPLOYED"
    assert "lease ended" in caller.sweep("report")["found"]["endpoint leased"]
    assert "leased" in caller.left("leased")
    assert "endpoint leased" in caller.sweep("remove")["removed"]
