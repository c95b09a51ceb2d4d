"""An endpoint's life over the real protocol: it comes up, answers, fails truthfully, is updated, rolls back, goes."""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

pytestmark = pytest.mark.slow

REGISTRY = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
TGI = f"{REGISTRY}/huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
AMI = "al2-ami-sagemaker-inference-gpu-3-1"
TOKEN = "hf_made_up_token_accepted_by_the_simulator"
SIGNED = {
    "X-Amz-Target": "SageMaker.CreateEndpoint",
    "Authorization": "AWS4-HMAC-SHA256 Credential=someone/20260101/us-east-1/sagemaker/aws4_request, Signature=0",
}
LLAMA = {"HF_MODEL_ID": "meta-llama/Meta-Llama-3-8B-Instruct", "HF_TOKEN": TOKEN}


def make(sagemaker: Any, name: str, environment: dict[str, str], *, config: str = "", **variant: Any) -> None:
    config = config or name
    role = "arn:aws:iam::000000000000:role/r"
    sagemaker.create_model(
        ModelName=config, ExecutionRoleArn=role, PrimaryContainer={"Image": TGI, "Environment": environment}
    )
    wanted = {"VariantName": "AllTraffic", "ModelName": config, "InitialInstanceCount": 1,
              "InstanceType": "ml.g5.2xlarge", "InferenceAmiVersion": AMI} | variant  # fmt: skip
    sagemaker.create_endpoint_config(EndpointConfigName=config, ProductionVariants=[wanted])


def settled(sagemaker: Any, name: str) -> dict[str, Any]:
    """The endpoint once it is no longer changing; boto3's own waiter, looking often because time is fast."""
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.config.delay, waiter.config.max_attempts = 0.3, 200
    with contextlib.suppress(WaiterError):
        waiter.wait(EndpointName=name)
    return sagemaker.describe_endpoint(EndpointName=name)


def lines(url: str, name: str) -> str:
    with urllib.request.urlopen(f"{url}/_simulator/logs/aws/sagemaker/Endpoints/{name}") as answer:
        return "\n".join(line["message"] for line in json.load(answer))


def test_a_good_request_comes_up_and_chats(sagemaker: Any, runtime: Any, url: str) -> None:
    make(sagemaker, "good", LLAMA)
    sagemaker.create_endpoint(EndpointName="good", EndpointConfigName="good")
    assert sagemaker.describe_endpoint(EndpointName="good")["EndpointStatus"] == "Creating"
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.delete_endpoint(EndpointName="good")
    found = settled(sagemaker, "good")
    assert found["EndpointStatus"] == "InService"
    assert 200 < (found["LastModifiedTime"] - found["CreationTime"]).total_seconds() < 900
    body = json.dumps({"messages": [{"role": "user", "content": "Hello"}]})
    answer = runtime.invoke_endpoint(EndpointName="good", ContentType="application/json", Body=body)
    assert json.loads(answer["Body"].read())["choices"][0]["message"]["content"]
    assert "Shard ready" in lines(url, "good")


def test_without_a_token_the_gated_model_fails_by_ping_and_the_log_says_why(sagemaker: Any, url: str) -> None:
    make(sagemaker, "gated", {"HF_MODEL_ID": LLAMA["HF_MODEL_ID"]}, ContainerStartupHealthCheckTimeoutInSeconds=120)
    sagemaker.create_endpoint(EndpointName="gated", EndpointConfigName="gated")
    found = settled(sagemaker, "gated")
    assert found["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in found["FailureReason"]
    assert lines(url, "gated").count("GatedRepoError") > 1, "the container is restarted until the window ends"
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        sagemaker.create_endpoint(EndpointName="gated", EndpointConfigName="gated")


def test_a_failed_update_is_in_service_on_the_old_config_with_a_reason(sagemaker: Any) -> None:
    make(sagemaker, "live", LLAMA)
    sagemaker.create_endpoint(EndpointName="live", EndpointConfigName="live")
    assert settled(sagemaker, "live")["EndpointStatus"] == "InService"
    make(sagemaker, "live", LLAMA, config="live-2", ContainerStartupHealthCheckTimeoutInSeconds=60)
    sagemaker.update_endpoint(EndpointName="live", EndpointConfigName="live-2")
    assert (
        sagemaker.describe_endpoint(EndpointName="live")["PendingDeploymentSummary"]["EndpointConfigName"] == "live-2"
    )
    found = settled(sagemaker, "live")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", "live")
    assert "ping health check" in found["FailureReason"]


def test_the_wrong_host_image_fails_without_a_line_of_log(sagemaker: Any, url: str) -> None:
    make(sagemaker, "ami", LLAMA, InferenceAmiVersion="al2023-ami-sagemaker-inference-gpu-4-1")
    sagemaker.create_endpoint(EndpointName="ami", EndpointConfigName="ami")
    assert settled(sagemaker, "ami")["FailureReason"].startswith("CannotStartContainerError")
    assert lines(url, "ami") == ""


def test_deletion_is_asynchronous_and_frees_the_name(sagemaker: Any) -> None:
    sagemaker.delete_endpoint(EndpointName="good")
    assert sagemaker.describe_endpoint(EndpointName="good")["EndpointStatus"] == "Deleting"
    waiter = sagemaker.get_waiter("endpoint_deleted")
    waiter.config.delay = 0.3
    waiter.wait(EndpointName="good")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName="good")


def test_what_the_model_of_the_service_forbids_is_refused(sagemaker: Any, url: str) -> None:
    with pytest.raises(ClientError, match="VolumeSize parameter is not allowed for the selected Instance type"):
        make(sagemaker, "volume", LLAMA, VolumeSizeInGB=300)
    request = urllib.request.Request(url, data=b"{not json", headers=SIGNED)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400
