"""Updates of live endpoints through the deployed stack: watched by alarms of their own, and leased anew."""

from __future__ import annotations

import io
import json
import time
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pytest

from cli.account import account_of
from cli.diagnose import of_endpoint

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]

QWEN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge", "server": "vllm"}
TWO = {**QWEN, "instance_count": 2, "repair": {"max_attempts": 0}}


def ours(caller: Any, name: str) -> list[dict[str, Any]]:
    prefix = f"inservice-update-{name}-"
    return list(caller.stack.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"])


def watched(caller: Any, name: str) -> list[dict[str, Any]]:
    """The alarms of an update that SageMaker is baking."""
    sagemaker = caller.stack.client("sagemaker")
    ends = time.monotonic() + 100
    while time.monotonic() < ends:
        seen = sagemaker.describe_endpoint(EndpointName=name).get("PendingDeploymentSummary") or {}
        variants = seen.get("ProductionVariants") or [{}]
        if any(status["Status"] == "Baking" for status in variants[0].get("VariantStatus") or ()):
            return ours(caller, name)
        time.sleep(0.05)
    raise AssertionError(f"the update of {name} does not bake")


def tags(caller: Any, name: str) -> dict[str, str]:
    sagemaker = caller.stack.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName=name)["EndpointArn"]
    return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def test_an_update_that_serves_has_a_new_lease_or_none_and_its_alarms_are_gone(caller: Any) -> None:
    first = [caller.deploy({**TWO, "endpoint_name": name, "ttl_hours": 2}) for name in ("lease-new", "lease-none")]
    assert {caller.outcome(one)["status"] for one in first} == {"DEPLOYED"}
    old = tags(caller, "lease-new")["inservice:expires-at"]
    update = {**TWO, "max_total_tokens": 2048}
    renewed = caller.deploy({**update, "endpoint_name": "lease-new", "ttl_hours": 9, "update": {"strategy": "canary"}})
    endless = caller.deploy({**update, "endpoint_name": "lease-none", "update": {"strategy": "rolling"}})
    found = watched(caller, "lease-new")
    assert {alarm["MetricName"]: alarm["Threshold"] for alarm in found} == {
        "Invocation5XXErrors": 0.05, "ModelLatency": 45_000_000.0,
    }  # fmt: skip
    assert tags(caller, "lease-new")["inservice:expires-at"] == old, "no new lease before it has succeeded"
    outcome = caller.outcome(renewed)
    assert outcome["status"] == caller.outcome(endless)["status"] == "DEPLOYED"
    after = tags(caller, "lease-new")
    assert datetime.fromisoformat(after["inservice:expires-at"]) > datetime.fromisoformat(old)
    assert after["inservice:deployment"] == renewed
    assert "inservice:expires-at" not in tags(caller, "lease-none")
    assert ours(caller, "lease-new") == ours(caller, "lease-none") == []
    last = caller.stack.client("sagemaker").describe_endpoint(EndpointName="lease-new")["LastDeploymentConfig"]
    used = {alarm["AlarmName"] for alarm in last["AutoRollbackConfiguration"]["Alarms"]}
    assert used == {alarm["AlarmName"] for alarm in found}


def test_an_alarm_of_ours_rolls_the_update_back_and_goes(caller: Any) -> None:
    names = ("rings", "halted")
    assert {caller.outcome(caller.deploy({**TWO, "endpoint_name": name}))["status"] for name in names} == {"DEPLOYED"}
    new = {**TWO, "max_total_tokens": 2048, "update": {"strategy": "linear"}}
    rung, halted = (caller.deploy({**new, "endpoint_name": name}) for name in names)
    [errors] = [alarm["AlarmName"] for alarm in watched(caller, "rings") if alarm["AlarmName"].endswith("-errors")]
    cloudwatch = caller.stack.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=errors, StateValue="ALARM", StateReason="one answer in ten is an error")
    assert caller.call("DELETE", f"/deployments/{halted}")[0] == 202
    outcome = caller.outcome(rung)
    assert outcome["status"] == "NOT_DEPLOYED"
    assert "an alarm on its errors or its latency rang" in outcome["diagnosis"]["summary"]
    assert "keeps serving" in outcome["diagnosis"]["summary"]
    assert errors in " ".join(outcome["diagnosis"]["evidence"])
    assert f"Removed alarm {errors}." in [entry["detail"] for entry in outcome["timeline"]]
    assert caller.outcome(halted)["status"] == "NOT_DEPLOYED"
    assert ours(caller, "rings") == ours(caller, "halted") == []


def test_an_update_that_is_lost_is_told_early_though_the_old_version_serves_and_logs(caller: Any) -> None:
    """The old instance prints an answer to each ping into the same log group all the while."""
    name = "lost-update"
    request = {**QWEN, "endpoint_name": name, "repair": {"max_attempts": 0}}
    assert caller.outcome(caller.deploy(request))["status"] == "DEPLOYED"
    gated = {"model": {"hub_id": "meta-llama/Meta-Llama-3-8B-Instruct"}, "force": True}
    updating = caller.deploy({**request, **gated})
    losing = caller.until(updating, lambda seen: seen["status"] == "LOSING")
    assert losing["diagnosis"]["cause"] == "GATED_OR_AUTH"
    sagemaker = caller.stack.client("sagemaker")
    assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Updating"
    outcome = caller.outcome(updating)
    assert (outcome["status"], outcome["diagnosis"]["cause"]) == ("NOT_DEPLOYED", "GATED_OR_AUTH")
    assert "keeps serving" in outcome["diagnosis"]["summary"]
    told = io.StringIO()
    assert of_endpoint(name, json_output=True, account=account_of(asdict(caller.stack)), out=told) == 0
    found = json.loads(told.getvalue())
    assert found["cause"] == "GATED_OR_AUTH", "and so it is for whoever asks only the endpoint"
    assert "GET /ping" not in " ".join(found["evidence"])
