"""With an engine: logs, metrics, events, roles and model data are its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from .conftest import Account, running_simulator

pytestmark = pytest.mark.slow
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                                                 "Principal": {"Service": "sagemaker.amazonaws.com"}}]}  # fmt: skip


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """MiniStack on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("engine")
    command = [str(Path(sys.executable).with_name("ministack"))]
    environment = {**os.environ, **KEYS, "GATEWAY_PORT": str(port), "MINISTACK_HOST": "127.0.0.1", "HOME": str(folder)}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + 40
    while not _answers(url):
        assert process.poll() is None, (folder / "log").read_text()[-2000:]
        assert time.monotonic() < until
        time.sleep(0.1)
    yield url
    process.terminate()
    process.wait(timeout=15)


@pytest.fixture(scope="module")
def url(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    os.environ.update(KEYS)
    with running_simulator(tmp_path_factory.mktemp("s"), "--time-scale", "120", "--engine", engine) as (found, _):
        yield found


def aws(service: str, engine: str) -> Any:
    return boto3.client(service, endpoint_url=engine, region_name="us-east-1", aws_access_key_id="test",
                        aws_secret_access_key="test")  # fmt: skip


def _answers(url: str) -> bool:
    try:
        aws("sts", url).get_caller_identity()
    except (BotoCoreError, ClientError):
        return False
    return True


def deployed(sagemaker: Any, name: str, role: str, **container: Any) -> dict[str, Any]:
    given = {"Image": Account.tgi, "Environment": Account.llama, **container}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=given)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.g5.2xlarge",
    }
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.config.delay, waiter.config.max_attempts = 0.1, 400
    waiter.wait(EndpointName=name)
    return sagemaker.describe_endpoint(EndpointName=name)


def eventually(look: Callable[[], Any], seconds: float = 20) -> Any:
    until = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < until:
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def role(engine: str) -> str:
    made = aws("iam", engine).create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(TRUST))
    return made["Role"]["Arn"]


def test_logs_metrics_and_events_arrive_in_the_engine(
    engine: str, url: str, role: str, client: Callable[[str, str], Any]
) -> None:
    queue = aws("sqs", engine).create_queue(QueueName="events")["QueueUrl"]
    events = aws("events", engine)
    pattern = {"source": ["aws.sagemaker"], "detail-type": ["SageMaker Endpoint State Change"],
               "detail": {"EndpointStatus": ["IN_SERVICE"]}}  # fmt: skip
    events.put_rule(Name="in-service", EventPattern=json.dumps(pattern))
    arn = "arn:aws:sqs:us-east-1:000000000000:events"
    events.put_targets(Rule="in-service", Targets=[{"Id": "queue", "Arn": arn}])
    found = deployed(client("sagemaker", url), "engined", role)
    logs = aws("logs", engine)
    group = "/aws/sagemaker/Endpoints/engined"
    lines = eventually(lambda: [e for e in logs.filter_log_events(logGroupName=group)["events"]
                                if "Connected" in e["message"]])  # fmt: skip
    assert lines
    assert lines[0]["timestamp"] / 1000 <= found["LastModifiedTime"].timestamp() + 60
    assert logs.describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"].startswith("AllTraffic/i-")
    message = eventually(lambda: aws("sqs", engine).receive_message(QueueUrl=queue).get("Messages"))
    assert json.loads(message[0]["Body"])["detail"]["EndpointName"] == "engined"
    metrics = aws("cloudwatch", engine)
    listed = eventually(lambda: metrics.list_metrics(Namespace="/aws/sagemaker/Endpoints")["Metrics"])
    assert {"DiskUtilization", "MemoryUtilization", "GPUMemoryUtilization"} <= {m["MetricName"] for m in listed}


def test_a_role_that_does_not_trust_sagemaker_fails_without_a_log(
    engine: str, url: str, client: Callable[[str, str], Any]
) -> None:
    other = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Principal": {"Service": "ec2.amazonaws.com"}}]}  # type: ignore[dict-item]
    made = aws("iam", engine).create_role(RoleName="stranger", AssumeRolePolicyDocument=json.dumps(other))
    sagemaker = client("sagemaker", url)
    with pytest.raises(Exception, match="Waiter EndpointInService failed"):
        deployed(sagemaker, "stranger", made["Role"]["Arn"])
    assert "sts:AssumeRole" in sagemaker.describe_endpoint(EndpointName="stranger")["FailureReason"]


def test_model_data_is_read_from_the_engines_buckets(
    engine: str, url: str, role: str, client: Callable[[str, str], Any]
) -> None:
    s3 = aws("s3", engine)
    s3.create_bucket(Bucket="weights")
    config = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2, "hidden_size": 64, "vocab_size": 1000,
              "num_attention_heads": 4, "num_key_value_heads": 4, "max_position_embeddings": 512}  # fmt: skip
    for name, text in {
        "config.json": json.dumps(config),
        "tokenizer.json": "{}",
        "model.safetensors": "x" * 999,
    }.items():
        s3.put_object(Bucket="weights", Key=f"tiny/{name}", Body=text.encode())
    source = {"S3DataSource": {"S3Uri": "s3://weights/tiny/", "S3DataType": "S3Prefix", "CompressionType": "None"}}
    found = deployed(client("sagemaker", url), "from-s3", role, ModelDataSource=source,
                     Environment={"HF_MODEL_ID": "/opt/ml/model"})  # fmt: skip
    assert found["EndpointStatus"] == "InService"
