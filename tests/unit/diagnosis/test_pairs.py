"""Every cause has a sample of our own for each server that can show it, or a reason why that server cannot."""

from __future__ import annotations

from typing import get_args

from inservice.contracts import Cause

from tests.unit.diagnosis.test_corpus import OWN

SERVERS = ("vllm", "sglang", "tgi", "lmi", "triton", "torchserve", "hf-toolkit")
_NO_CONTAINER = "SageMaker says it before any container runs, so no server logs it"
_NO_CACHE = "its handlers reserve no cache when they start; a long request fails later, alone"
_HUB_OR_DISK = "it reads the hub or the folder SageMaker filled, never S3 with the role"
# Who cannot show a cause, and why.
NOT_POSSIBLE: dict[str, dict[str, str]] = {
    "CAPACITY": dict.fromkeys(SERVERS, _NO_CONTAINER),
    "QUOTA": dict.fromkeys(SERVERS, _NO_CONTAINER),
    "INVALID_REQUEST_CONFIG": dict.fromkeys(SERVERS, _NO_CONTAINER),
    "IMAGE_PULL": dict.fromkeys(SERVERS, _NO_CONTAINER),
    "GPU_OOM_KV_CACHE": {"torchserve": _NO_CACHE, "hf-toolkit": _NO_CACHE},
    "IAM": {"tgi": _HUB_OR_DISK, "torchserve": _HUB_OR_DISK, "hf-toolkit": _HUB_OR_DISK},
    "SHARDING_ERROR": {"hf-toolkit": "one process places layers on the GPUs it finds; nothing is divided or joined"},
    "UNKNOWN": dict.fromkeys(SERVERS, "it is what a diagnosis says when it abstains, not what a server shows"),
}


def _sampled() -> dict[str, set[str]]:
    servers: dict[str, set[str]] = {cause: set() for cause in get_args(Cause)}
    for case in OWN:
        servers[case["label"]].add(case["server"])
    return servers


def test_each_pair_is_sampled_or_not_possible() -> None:
    missing = [
        (cause, server)
        for cause, seen in _sampled().items()
        for server in SERVERS
        if server not in seen and server not in NOT_POSSIBLE.get(cause, {})
    ]
    assert not missing


def test_what_no_container_shows_is_sampled_from_sagemaker_itself() -> None:
    sampled = _sampled()
    for cause, why in NOT_POSSIBLE.items():
        if _NO_CONTAINER in why.values():
            assert "sagemaker" in sampled[cause], cause


def test_a_pair_called_not_possible_has_no_sample() -> None:
    sampled = _sampled()
    # Kubernetes writes its pull errors beside the pod's log, so a vLLM sample of them exists.
    beside = {("IMAGE_PULL", "vllm"), ("UNKNOWN", "vllm"), ("UNKNOWN", "tgi")}
    contradicted = {
        (cause, server) for cause, why in NOT_POSSIBLE.items() for server in why if server in sampled[cause]
    }
    assert contradicted <= beside
