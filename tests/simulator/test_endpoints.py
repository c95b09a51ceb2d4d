"""What SageMaker does with an endpoint that comes up, fails without a log, is out of capacity, or is asked too much."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.slow

SCREAMING = re.compile(r"^[A-Z_]+$")


def test_an_endpoint_in_service_shows_its_image_by_digest_and_chats(account: Any) -> None:
    found = account.sagemaker.describe_endpoint(EndpointName=account.serving("Chatty"))
    variant = found["ProductionVariants"][0]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    assert "@sha256:" in variant["DeployedImages"][0]["ResolvedImage"]
    assert "FailureReason" not in found
    assert account.chat("Chatty")["choices"][0]["message"]["content"].startswith("Hello!")
    assert found["EndpointArn"].endswith("endpoint/chatty"), "ARNs are in lower case"


def test_names_are_taken_in_any_case_but_invoked_in_their_own(account: Any) -> None:
    account.serving("Chatty")
    account.define("other")
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        account.sagemaker.create_endpoint(EndpointName="CHATTY", EndpointConfigName="other")
    with pytest.raises(ClientError, match="not found") as refused:
        account.chat("chatty")
    assert refused.value.response["Error"]["Code"] == "ValidationError"


def test_a_stream_of_parts_says_what_one_answer_says(account: Any) -> None:
    account.serving("Chatty")
    body = json.dumps({"messages": [{"role": "user", "content": "Hi"}], "stream": True})
    answer = account.runtime.invoke_endpoint_with_response_stream(EndpointName="Chatty", Body=body)
    data = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"]).decode()
    parts = [json.loads(line[6:]) for line in data.split("\n\n") if line.startswith("data: {")]
    whole = "".join(part["choices"][0]["delta"]["content"] for part in parts)
    assert data.rstrip().endswith("[DONE]")
    assert whole == account.chat("Chatty")["choices"][0]["message"]["content"].replace("Say hello.", "Hi")


def test_what_the_container_refuses_is_a_model_error_with_its_words(account: Any) -> None:
    account.serving("Chatty")
    with pytest.raises(ClientError, match="from primary with message") as refused:
        account.runtime.invoke_endpoint(EndpointName="Chatty", Body=b'{"question": 1}')
    assert refused.value.response["Error"]["Code"] == "ModelError"
    assert refused.value.response["OriginalStatusCode"] == 422


@pytest.mark.parametrize(
    ("name", "define", "fault", "reason"),
    [
        ("ami", {"InferenceAmiVersion": "al2023-ami-sagemaker-inference-gpu-4-1"}, {}, "CannotStartContainerError"),
        ("no-image", {"image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:9.9.9-gpu"}, {}, "images included"),
        ("no-role", {}, {"roles": {"execution": "missing"}}, "is invalid. Please ensure that the role exists"),
        ("no-pull", {}, {"roles": {"execution": "no_ecr"}}, "BatchGetImage permission"),
        ("no-capacity", {}, {"capacity": {"ml.g5.2xlarge": 0}}, "InsufficientInstanceCapacity"),
    ],
)
def test_some_failures_leave_no_log_at_all(
    account: Any, name: str, define: dict[str, Any], fault: dict[str, Any], reason: str
) -> None:
    account.simulation.faults.put(fault)
    found = account.deploy(name, **define)
    assert found["EndpointStatus"] == "Failed"
    assert reason in found["FailureReason"]
    assert "ProductionVariants" not in found
    assert f"/aws/sagemaker/Endpoints/{name}" not in account.simulation.logs.groups()


def test_a_capacity_failure_takes_half_an_hour_and_pools_fall_through_to_the_next_type(account: Any) -> None:
    account.simulation.faults.put({"capacity": {"ml.g5.2xlarge": 0}})
    alone = account.deploy("alone")
    assert 1800 < (alone["LastModifiedTime"] - alone["CreationTime"]).total_seconds() < 2100
    pools = [{"InstanceType": "ml.g5.2xlarge", "Priority": 1}, {"InstanceType": "ml.g6.2xlarge", "Priority": 2}]
    found = account.deploy("pools", InstancePools=pools)
    assert found["EndpointStatus"] == "InService"
    assert (found["LastModifiedTime"] - found["CreationTime"]).total_seconds() > 300


@pytest.mark.timed
def test_a_crash_loop_repeats_until_the_window_ends(account: Any) -> None:
    found = account.deploy("loop", {"HF_MODEL_ID": account.llama["HF_MODEL_ID"]},
                           ContainerStartupHealthCheckTimeoutInSeconds=180)  # fmt: skip
    assert "did not pass the ping health check" in found["FailureReason"]
    banners = [line for line in account.lines("loop") if "Args {" in line]
    assert len(banners) >= 4
    report = next(entry for entry in account.simulation.record.reports() if entry["endpoint"] == "loop")
    assert report["containers"] == len(banners)
    assert "GatedRepoError" in report["proving_line"]
    assert report["proved_lost"] < report["settled"]


def test_a_window_shorter_than_the_load_fails_without_an_error_in_the_log(account: Any) -> None:
    llama70 = {**account.llama, "HF_MODEL_ID": "meta-llama/Meta-Llama-3-70B-Instruct", "SM_NUM_GPUS": "8"}
    found = account.deploy("short", llama70, InstanceType="ml.p4d.24xlarge",
                           ContainerStartupHealthCheckTimeoutInSeconds=300)  # fmt: skip
    assert "did not pass the ping health check" in found["FailureReason"]
    assert not [line for line in account.lines("short") if "rror" in line]
    account.sagemaker.delete_endpoint(EndpointName="short")
    account.sagemaker.create_endpoint_config(
        EndpointConfigName="long-enough",
        ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": "short", "InitialInstanceCount": 1,
                             "InstanceType": "ml.p4d.24xlarge", "ContainerStartupHealthCheckTimeoutInSeconds": 900}],
    )  # fmt: skip
    account.sagemaker.create_endpoint(EndpointName="long", EndpointConfigName="long-enough")
    assert account.settled("long")["EndpointStatus"] == "InService"


def test_weights_in_s3_are_found_downloaded_and_served(account: Any) -> None:
    source = {"ModelDataSource": {"S3DataSource": {"S3Uri": "s3://bucket/llama/", "S3DataType": "S3Prefix",
                                                   "CompressionType": "None"}}}  # fmt: skip
    with pytest.raises(ClientError, match="Could not access model data at s3://bucket/llama/"):
        account.define("staged", {"HF_MODEL_ID": "/opt/ml/model"}, container=source)
    config = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 32, "hidden_size": 4096, "vocab_size": 32000,
              "num_attention_heads": 32, "num_key_value_heads": 8, "max_position_embeddings": 8192}  # fmt: skip
    account.simulation.objects.declare({
        "s3://bucket/llama/config.json": json.dumps(config), "s3://bucket/llama/tokenizer.json": "{}",
        "s3://bucket/llama/tokenizer_config.json": '{"chat_template": "x"}',
        "s3://bucket/llama/model.safetensors": 15 * 2**30,
    })  # fmt: skip
    assert account.deploy("staged", {"HF_MODEL_ID": "/opt/ml/model"}, container=source)["EndpointStatus"] == "InService"
    assert account.chat("staged")["choices"]
    slow = {"ModelDataDownloadTimeoutInSeconds": 60, "InstanceType": "ml.g5.12xlarge"}
    account.simulation.objects.declare({"s3://bucket/llama/model-2.safetensors": 30 * 2**30})
    found = account.deploy("staged-slow", {"HF_MODEL_ID": "/opt/ml/model"}, container=source, **slow)
    assert "Failed to download model data for container" in found["FailureReason"]


def test_an_unknown_image_can_be_registered_and_its_wrong_entry_point_crashes(account: Any) -> None:
    account.simulation.images["team/own:1"] = {"server": "tgi", "version": "3.3.6", "command": ["start"]}
    found = account.deploy("own", image="team/own:1", ContainerStartupHealthCheckTimeoutInSeconds=60)
    assert found["EndpointStatus"] == "Failed"
    assert "executable file not found" in account.lines("own")[0]


def test_a_fault_of_the_services_own_is_no_endpoint_in_service(account: Any) -> None:
    account.simulation.images["team/broken:1"] = {"server": "tgi", "version": None, "cuda": [12, 4]}
    found = account.deploy("faulty", image="team/broken:1")
    assert (found["EndpointStatus"], found["FailureReason"][:26]) == ("Failed", "Request to service failed.")


def test_a_container_that_dies_in_service_is_started_again(account: Any) -> None:
    account.simulation.faults.put({"dies": [{"endpoint": "mortal", "after_seconds": 400, "next": 1}]})
    assert account.deploy("mortal")["EndpointStatus"] == "InService"
    instance = account.simulation.endpoints["mortal"].fleet.instances["AllTraffic"][0]
    first = instance.running
    assert first.exited.wait(10)
    until = time.monotonic() + 10
    while (instance.running is first or not instance.ready.is_set()) and time.monotonic() < until:
        time.sleep(0.01)
    assert instance.running is not first
    assert account.chat("mortal")["choices"]
    assert "Segmentation fault" in "\n".join(account.lines("mortal"))


def test_a_replayed_log_is_what_the_container_prints(account: Any) -> None:
    log = "first line\nRuntimeError: replayed"
    account.simulation.faults.put({"replay": {"endpoint": "replayed", "log": log, "exit_code": 1}})
    found = account.deploy("replayed", ContainerStartupHealthCheckTimeoutInSeconds=60)
    assert found["EndpointStatus"] == "Failed"
    assert account.lines("replayed")[:2] == log.split("\n")


def test_events_are_spelled_as_eventbridge_spells_them_and_may_come_twice(account: Any) -> None:
    account.simulation.faults.put({"events": {"copies": 2}})
    account.deploy("eventful", InferenceAmiVersion=account.ami13)
    account.simulation.faults.clear()
    account.sagemaker.delete_endpoint(EndpointName="eventful")
    mine = [event for event in account.simulation.events.sent() if "endpoint/eventful" in event["resources"][0]]
    states = [event["detail"]["EndpointStatus"] for event in mine]
    assert states[:4] == ["CREATING", "CREATING", "FAILED", "FAILED"]
    assert mine[0]["id"] == mine[1]["id"]
    assert all(SCREAMING.match(state) for state in states)
    assert all(isinstance(event["detail"]["CreationTime"], int) for event in mine)
    assert {event["source"] for event in mine} == {"aws.sagemaker"}


def test_metrics_show_a_container_that_was_killed_since_they_were_last_published(
    account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulation, published = account.simulation, []
    measured = simulation.metrics._of
    monkeypatch.setattr(simulation.metrics, "_of", lambda *of: published.extend(found := measured(*of)) or found)
    simulation.hub.add({"team/pickled": {"files": {"pytorch_model.bin": 12 * 2**30}}})
    account.define("killed", {"HF_MODEL_ID": "team/pickled"}, InstanceType="ml.g5.xlarge")
    account.sagemaker.create_endpoint(EndpointName="killed", EndpointConfigName="killed")
    while account.sagemaker.describe_endpoint(EndpointName="killed")["EndpointStatus"] == "Creating":
        time.sleep(0.05)
    simulation.metrics._publish()
    highest = {name: max(datum["Value"] for datum in published if datum["MetricName"] == name)
               for name in ("MemoryUtilization", "DiskUtilization")}  # fmt: skip
    assert highest["MemoryUtilization"] == 100
    assert highest["DiskUtilization"] < 10
    assert not any(line.startswith("\0") for line in account.lines("killed"))


def test_metrics_follow_the_container(account: Any) -> None:
    account.serving("Chatty")
    account.simulation.metrics._publish()
    values = account.simulation.metrics.newest()["Chatty"]
    assert 85 <= values["GPUMemoryUtilization"] <= 100
    assert 0 < values["DiskUtilization"] < 10
