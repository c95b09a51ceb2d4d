"""Every start that fails in the simulator is diagnosed from the log it leaves; the two know nothing of each other."""

from __future__ import annotations

from typing import Any

import pytest
from inservice.diagnosis import diagnose

from simulator.simulation import Simulation
from tests.simulator.conftest import served  # noqa: F401 - a fixture
from tests.simulator.test_starts import CASES, started, world  # noqa: F401 - a fixture

PING = "The primary container for production variant AllTraffic did not pass the ping health check."
WRONG = {name: wrong for name, wrong, _, _ in CASES}
CAUSES = {
    "weights larger than the GPU": "GPU_OOM_WEIGHTS",
    "weights larger than the GPU, vLLM": "GPU_OOM_WEIGHTS",
    "KV cache larger than what is left": "GPU_OOM_KV_CACHE",
    "the same before vLLM 0.8": "GPU_OOM_KV_CACHE",
    "no room for any cache": "GPU_OOM_KV_CACHE",
    "max length larger than the model": "INVALID_ARGUMENT",
    "token limits larger than the cache": "GPU_OOM_KV_CACHE",
    "prefill larger than the cache": "GPU_OOM_KV_CACHE",
    "host memory": "HOST_OOM",
    "disk full on an EBS-only type": "DISK_FULL",
    "gated model without a token": "GATED_OR_AUTH",
    "gated model, token without access": "GATED_OR_AUTH",
    "no such repository": "MODEL_NOT_FOUND",
    "no such revision": "MODEL_NOT_FOUND",
    "partial weights": "CORRUPT_WEIGHTS",
    "image older than the architecture": "UNSUPPORTED_ARCHITECTURE",
    "image older than the rope scaling": "UNSUPPORTED_ARCHITECTURE",
    "architecture vLLM does not know yet": "UNSUPPORTED_ARCHITECTURE",
    "architecture TGI never got": "UNSUPPORTED_ARCHITECTURE",
    "GPU too old for the dtype": "UNSUPPORTED_GPU",
    "GPU too old for the kernels": "UNSUPPORTED_GPU",
    "TP does not divide the heads": "SHARDING_ERROR",
    "more shards than GPUs": "SHARDING_ERROR",
    "unknown flag from the environment": "INVALID_ARGUMENT",
    "unknown SGLang flag": "INVALID_ARGUMENT",
    "both names of one limit": "INVALID_ARGUMENT",
    "quantisation removed in this version": "QUANTIZATION_ERROR",
    "quantisation of an unquantised checkpoint": "QUANTIZATION_ERROR",
    "missing tokenizer": "TOKENIZER_ERROR",
    "remote code not trusted": "INVALID_ARGUMENT",
    "LMI without a model": "INVALID_ARGUMENT",
    "SGLang ignores HF_MODEL_ID": "MODEL_NOT_FOUND",
    "SGLang's pool": "GPU_OOM_KV_CACHE",
}


def test_the_causes_are_those_of_the_simulated_starts() -> None:
    assert set(CAUSES) == set(WRONG)


@pytest.mark.parametrize("name", CAUSES)
@pytest.mark.parametrize("reason", [None, PING], ids=["while Creating", "once Failed"])
def test_a_simulated_failure_is_diagnosed(world: Simulation, name: str, reason: str | None) -> None:  # noqa: F811
    wrong: dict[str, Any] = WRONG[name]
    story, _ = started(world, **wrong)
    lines = [line for _, line in story.lines]
    found = diagnose(failure_reason=reason, log="\n".join(lines))
    assert found.cause == CAUSES[name], found
    assert found.evidence[0] in "\n".join(lines)
    assert found.remedy is not None
