"""Updates: in place by blue/green in three paces or rolling, rolled back by alarms, refused and quietly undone."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow


def routing(kind: str, **more: Any) -> dict[str, Any]:
    one = {"Type": "INSTANCE_COUNT", "Value": 1}
    sizes = {"CANARY": {"CanarySize": one}, "LINEAR": {"LinearStepSize": one}}.get(kind, {})
    traffic = {"Type": kind, "WaitIntervalInSeconds": 120, **sizes}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic, "TerminationWaitInSeconds": 60}, **more}


ROLLING = {"RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                                   "WaitIntervalInSeconds": 60}}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "policy"),
    [("at-once", None), ("canary", routing("CANARY")), ("linear", routing("LINEAR")), ("rolling", ROLLING)],
)
def test_every_kind_of_update_ends_on_the_new_config(account: Any, name: str, policy: dict[str, Any] | None) -> None:
    account.deploy(name, InitialInstanceCount=2)
    account.define(f"{name}-2", InitialInstanceCount=2)
    more = {"DeploymentConfig": policy} if policy else {}
    account.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=f"{name}-2", **more)
    during = account.sagemaker.describe_endpoint(EndpointName=name)
    assert during["EndpointStatus"] == "Updating"
    assert during["EndpointConfigName"] == name
    assert during["PendingDeploymentSummary"]["EndpointConfigName"] == f"{name}-2"
    assert account.chat(name)["choices"], "the old fleet serves while the new one comes up"
    found = account.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", f"{name}-2")
    assert "FailureReason" not in found
    assert "PendingDeploymentSummary" not in found
    assert account.chat(name)["choices"]


def test_an_alarm_while_baking_rolls_back(account: Any) -> None:
    account.deploy("alarmed", InitialInstanceCount=2)
    account.define("alarmed-2", InitialInstanceCount=2)
    account.simulation.faults.put({"alarms": {"errors-high": "ALARM"}})
    policy = routing("CANARY", AutoRollbackConfiguration={"Alarms": [{"AlarmName": "errors-high"}]})
    account.sagemaker.update_endpoint(
        EndpointName="alarmed", EndpointConfigName="alarmed-2", DeploymentConfig=policy
    )  # fmt: skip
    found = account.settled("alarmed")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "alarmed")
    assert "errors-high" in found["FailureReason"]
    account.simulation.faults.clear()
    account.sagemaker.update_endpoint(
        EndpointName="alarmed", EndpointConfigName="alarmed-2", DeploymentConfig=policy
    )  # fmt: skip
    found = account.settled("alarmed")
    assert found["EndpointConfigName"] == "alarmed-2"
    assert "FailureReason" not in found, "the next successful update clears the reason"


def test_a_failed_update_is_in_service_on_the_old_config_with_a_reason(account: Any) -> None:
    account.deploy("undone")
    account.define("undone-2", {"HF_MODEL_ID": account.llama["HF_MODEL_ID"]},
                   ContainerStartupHealthCheckTimeoutInSeconds=60)  # fmt: skip
    account.sagemaker.update_endpoint(EndpointName="undone", EndpointConfigName="undone-2")
    found = account.settled("undone")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "undone")
    assert "ping health check" in found["FailureReason"]
    assert account.chat("undone")["choices"]


def test_old_instances_go_on_answering_pings_into_the_log_that_the_new_ones_share(account: Any) -> None:
    more = {"image": account.vllm, "InferenceAmiVersion": account.ami13}
    account.deploy("shared", {"SM_VLLM_MODEL": "Qwen/Qwen2.5-7B-Instruct"}, **more)
    account.define("shared-2", {"SM_VLLM_MODEL": "meta-llama/Meta-Llama-3-8B-Instruct"}, **more)
    account.sagemaker.update_endpoint(EndpointName="shared", EndpointConfigName="shared-2")
    assert account.settled("shared")["EndpointConfigName"] == "shared"
    group = account.simulation.logs.lines("/aws/sagemaker/Endpoints/shared")
    failed = [line for line in group if "GatedRepoError" in line["message"]]
    pinged = [line for line in group if line["message"].endswith('"GET /ping HTTP/1.1" 200 OK')]
    assert {line["stream"] for line in failed}.isdisjoint({line["stream"] for line in pinged})
    assert any(line["timestamp"] > failed[0]["timestamp"] for line in pinged)


def test_an_update_needs_another_config_and_an_endpoint_at_rest(account: Any) -> None:
    account.deploy("busy")
    account.define("busy-2")
    with pytest.raises(ClientError, match="currently in use endpoint configuration"):
        account.sagemaker.update_endpoint(EndpointName="busy", EndpointConfigName="busy")
    account.sagemaker.update_endpoint(EndpointName="busy", EndpointConfigName="busy-2")
    for ask, more in (("update_endpoint", {"EndpointConfigName": "busy"}), ("delete_endpoint", {})):
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            getattr(account.sagemaker, ask)(EndpointName="busy", **more)
    assert account.settled("busy")["EndpointConfigName"] == "busy-2"


def test_blue_green_needs_twice_the_quota_and_rolling_only_a_batch_more(account: Any) -> None:
    account.deploy("pair", InitialInstanceCount=2, InstanceType="ml.g5.4xlarge")
    account.define("pair-2", InitialInstanceCount=2, InstanceType="ml.g5.4xlarge")
    account.simulation.faults.put({"quota": {"ml.g5.4xlarge": 3}})
    with pytest.raises(ClientError, match="utilization of 2 Instances and a request delta of 2 Instances") as refused:
        account.sagemaker.update_endpoint(EndpointName="pair", EndpointConfigName="pair-2")
    assert refused.value.response["Error"]["Code"] == "ResourceLimitExceeded"
    account.sagemaker.update_endpoint(EndpointName="pair", EndpointConfigName="pair-2", DeploymentConfig=ROLLING)
    assert account.settled("pair")["EndpointConfigName"] == "pair-2"


def test_only_deletion_is_left_for_a_failed_endpoint_and_its_name_stays_taken(account: Any) -> None:
    account.deploy("failed", InferenceAmiVersion=account.ami13)
    account.define("better")
    with pytest.raises(ClientError, match="Failed"):
        account.sagemaker.update_endpoint(EndpointName="failed", EndpointConfigName="better")
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        account.sagemaker.create_endpoint(EndpointName="failed", EndpointConfigName="better")
    account.sagemaker.delete_endpoint(EndpointName="failed")
    waiter = account.sagemaker.get_waiter("endpoint_deleted")
    waiter.config.delay = 0.1
    waiter.wait(EndpointName="failed")
    account.sagemaker.create_endpoint(EndpointName="failed", EndpointConfigName="better")
    assert account.settled("failed")["EndpointStatus"] == "InService"


def test_weights_and_counts_can_be_changed(account: Any) -> None:
    account.deploy("scaled")
    account.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="scaled",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 3, "DesiredWeight": 2.0}],
    )
    variant = account.settled("scaled")["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["DesiredWeight"]) == (3, 2.0)
