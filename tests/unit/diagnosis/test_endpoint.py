"""Diagnosing an endpoint that anybody created: what is asked of AWS, and what is made of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.contracts import Diagnosis
from inservice.diagnosis.endpoint import diagnose_endpoint
from inservice.errors import Refused
from inservice.ports import EndpointDescription, LogLine, Peak

MADE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
PING = "The primary container for production variant v did not pass the ping health check."
BANNER = "INFO 11-20 08:05:00 [api_server.py:1289] vLLM API server version 0.11.2"
READY, PINGED = "INFO:     Application startup complete.", 'INFO:     169.254.178.2:1 - "GET /ping HTTP/1.1" 200 OK'
GATED = "huggingface_hub.errors.GatedRepoError: 401 Client Error."
VARIANT = {
    "VariantName": "v", "ModelName": "m", "InstanceType": "ml.g5.2xlarge", "VolumeSizeInGB": 30,
    "ContainerStartupHealthCheckTimeoutInSeconds": 600,
}  # fmt: skip
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:0.11-gpu-py312-cu128-ubuntu22.04"


class Aws:
    """One endpoint's hosting, log and metrics; `refused` are calls that the caller may not make."""

    def __init__(self, status: str, lines: Any = None, peaks: tuple[Peak, ...] = (), refused: Any = (), **seen: Any):
        self.seen = EndpointDescription(status, **({"config_name": "c", "created_at": MADE} | seen))
        self.lines, self.found, self.refused = lines, peaks, refused
        self.since_ms, self.asked = 0, None
        self.image = IMAGE

    def describe_endpoint(self, name: str) -> EndpointDescription:
        return self.seen

    def describe_endpoint_config(self, name: str) -> Any:
        if "config" in self.refused:
            raise Refused("not authorized to perform sagemaker:DescribeEndpointConfig")
        return {"ProductionVariants": [VARIANT]}

    def describe_model(self, name: str) -> Any:
        return {"PrimaryContainer": {"Image": self.image}}

    def read_both_ends(self, log_group: str, since_ms: int, *, max_bytes: int, keep: Any = None) -> Any:
        self.since_ms = since_ms
        return self.lines and [line for line in self.lines if keep is None or keep(line)]

    def peaks(self, endpoint_name: str, variant_name: str, *, since: datetime, until: datetime) -> tuple[Peak, ...]:
        self.asked = (endpoint_name, variant_name, since, until)
        if "metrics" in self.refused:
            raise Refused("not authorized to perform cloudwatch:GetMetricData")
        return self.found


def lines(*told: str, stream: str = "v/i-1") -> list[LogLine]:
    return [LogLine(int(MADE.timestamp() + at) * 1000, stream, text) for at, text in enumerate(told)]


def found(aws: Aws) -> Diagnosis | None:
    return diagnose_endpoint("chat", hosting=aws, logs=aws, metrics=aws, clock=Clock())  # type: ignore[arg-type]


def cause(aws: Aws) -> str | None:
    diagnosis = found(aws)
    return diagnosis and diagnosis.cause


def test_the_log_says_why() -> None:
    aws = Aws("Failed", lines(BANNER, GATED), failure_reason=PING)
    assert cause(aws) == "GATED_OR_AUTH"
    assert aws.since_ms == MADE.timestamp() * 1000, "an earlier endpoint of that name wrote into the same group"
    assert cause(Aws("Creating", lines(BANNER, GATED))) == "GATED_OR_AUTH"
    assert cause(Aws("Creating", lines(BANNER))) == "LOADING"
    assert cause(Aws("InService", lines(BANNER, READY))) == "HEALTHY"


def test_sagemakers_definitions_are_evidence_where_there_is_no_log() -> None:
    aws = Aws("Failed", None, failure_reason=PING)
    aws.image = IMAGE.replace("cu128", "cu130")
    diagnosis = found(aws)
    assert diagnosis is not None
    assert diagnosis.cause == "UNSUPPORTED_GPU", "the image needs CUDA 13, and the config names no AMI for it"
    assert f"image_uri: {aws.image}" in diagnosis.evidence


def test_the_metrics_of_a_failed_start_are_read_until_it_had_failed() -> None:
    full = (Peak("DiskUtilization", 100.0, MADE),)
    failed = MADE + timedelta(minutes=20)
    aws = Aws("Failed", None, full, failure_reason=PING, modified_at=failed)
    diagnosis = found(aws)
    assert diagnosis is not None
    assert (diagnosis.cause, diagnosis.remedy and diagnosis.remedy.changes) == ("DISK_FULL", {"volume_size_gb": 60})
    assert aws.asked == ("chat", "v", MADE, failed)


@pytest.mark.parametrize("refused", [("config",), ("metrics",)])
def test_what_may_not_be_read_is_done_without(refused: tuple[str, ...]) -> None:
    full = (Peak("DiskUtilization", 100.0, MADE),)
    assert cause(Aws("Failed", lines(BANNER, GATED), full, refused, failure_reason=PING)) == "GATED_OR_AUTH"
    assert cause(Aws("Failed", None, full, refused, failure_reason=PING)) == "UNKNOWN"


def test_of_an_update_undone_only_the_new_instances_are_asked() -> None:
    serving = [*lines(BANNER, READY, PINGED), *lines(PINGED, stream="v/i-old"), *lines(PINGED, stream="v/i-older")]
    failed = lines(BANNER, GATED, stream="v/i-2")
    undone = MADE + timedelta(days=9)
    aws = Aws("InService", [*serving, *failed], failure_reason=PING, modified_at=undone)
    diagnosis = found(aws)
    assert diagnosis is not None
    assert diagnosis.cause == "GATED_OR_AUTH"
    assert "GET /ping" not in " ".join(diagnosis.evidence)
    assert aws.asked is None, "old and new instances publish under the same names"
    assert undone.timestamp() - 3 * 3600 < aws.since_ms / 1000 < undone.timestamp() - 2 * 3600
    rung = Aws("InService", serving, failure_reason="Alarm x rang", modified_at=undone)
    assert cause(rung) in ("UNKNOWN", "STARTUP_TIMEOUT", "HEALTHY"), "nothing failed to start"


def test_neither_an_endpoint_nor_a_log_is_no_diagnosis() -> None:
    assert found(Aws("Deleted", None, created_at=None)) is None
    assert cause(Aws("Deleted", lines(BANNER, GATED), created_at=None)) == "GATED_OR_AUTH"
