"""Every start that fails in the simulator, through the deployed stack: with its log, with a late one, and with none."""

from __future__ import annotations

from typing import Any

import pytest

from tests.agreement.test_simulated_starts import CAUSES, WRONG
from tests.simulator.conftest import served
from tests.simulator.test_starts import GPT_OSS, LLAMA3, LLAMA31, LLAMA70, MISTRAL, QWEN3, SMALL_HUB, started, world

pytestmark = [pytest.mark.stack, pytest.mark.timeout(290)]

__all__ = ["served", "world"]
REGISTRY = "000000000000.dkr.ecr.us-east-1.amazonaws.com/own"
TOKEN = {"hf_token_secret": "hf-token"}
VLLM, TGI, SGLANG = {"server": "vllm"}, {"server": "tgi"}, {"server": "sglang"}
OWN_IMAGES = {
    f"{REGISTRY}:vllm-0.7.2": {"server": "vllm", "version": "0.7.2", "cuda": "12.4"},
    f"{REGISTRY}:vllm-0.29.0-cu130": {"server": "vllm", "version": "0.29.0", "cuda": "13.0"},
    f"{REGISTRY}:vllm-0.29.0": {"server": "vllm", "version": "0.29.0", "cuda": "12.4"},
    f"{REGISTRY}:tgi-2.0.2": {"server": "tgi", "version": "2.0.2", "cuda": "12.1"},
    f"{REGISTRY}:tgi-2.1.1": {"server": "tgi", "version": "2.1.1", "cuda": "12.1"},
}


def model(hub_id: str, **more: Any) -> dict[str, Any]:
    return {"model": {"hub_id": hub_id, **more}, **TOKEN}


def own(name: str) -> dict[str, Any]:
    return {"image_uri": f"{REGISTRY}:{name}"}


ASKED: dict[str, dict[str, Any]] = {
    "weights larger than the GPU": {**TGI, **model(LLAMA70), "health_check_timeout_seconds": 1800},
    "weights larger than the GPU, vLLM": {**VLLM, **model(LLAMA70), "health_check_timeout_seconds": 1800},
    "KV cache larger than what is left": {**VLLM, **model(LLAMA31), "max_total_tokens": 131072},
    "the same before vLLM 0.8": {**VLLM, **model(LLAMA31), **own("vllm-0.7.2"), "max_total_tokens": 131072},
    "no room for any cache": {**VLLM, **model(LLAMA3), "environment": {"SM_VLLM_GPU_MEMORY_UTILIZATION": "0.7"}},
    "max length larger than the model": {**VLLM, **model(LLAMA3), "max_total_tokens": 9000},
    "token limits larger than the cache": {**TGI, **model(LLAMA3), "max_total_tokens": 90000},
    "host memory": {**TGI, **model("team/pickled"), "instance_type": "ml.g5.xlarge"},
    "disk full on an EBS-only type": {**VLLM, **model("Qwen/Qwen2.5-32B-Instruct"), **own("vllm-0.29.0"),
                                      "instance_type": "ml.p3.16xlarge", "volume_size_gb": 30,
                                      "health_check_timeout_seconds": 1800},
    "gated model without a token": {**TGI, "model": {"hub_id": LLAMA3}},
    "gated model, token without access": {**VLLM, **model(LLAMA3), "hf_token_secret": "hf-other"},
    "no such repository": {**VLLM, **model("team/nothing")},
    "no such revision": {**TGI, **model("team/pinned", revision="v9")},
    "partial weights": {**VLLM, **model("team/partial")},
    "image older than the architecture": {**TGI, **model("google/gemma-2-9b-it"), **own("tgi-2.0.2")},
    "image older than the rope scaling": {**TGI, **model(LLAMA31), **own("tgi-2.1.1")},
    "architecture vLLM does not know yet": {**VLLM, **model(QWEN3), **own("vllm-0.7.2")},
    "GPU too old for the kernels": {**VLLM, **model("team/plain"), **own("vllm-0.29.0-cu130"),
                                    "instance_type": "ml.p3.2xlarge", "volume_size_gb": 100},
    "unknown flag from the environment": {**VLLM, **model(LLAMA3), "environment": {"SM_VLLM_MAX_TOKENS": "9"}},
    "unknown SGLang flag": {**SGLANG, **model(LLAMA3), "environment": {"SM_SGLANG_MAX_MODEL_LEN": "9"}},
    "quantisation removed in this version": {**VLLM, **model(MISTRAL),
                                             "environment": {"SM_VLLM_QUANTIZATION": "bitsandbytes"}},
    "quantisation of an unquantised checkpoint": {**TGI, **model(MISTRAL), "environment": {"HF_MODEL_QUANTIZE": "awq"}},
    "missing tokenizer": {**VLLM, **model("team/no-tokenizer")},
    "remote code not trusted": {**VLLM, **model("team/custom-code")},
    "SGLang's pool": {**SGLANG, **model(LLAMA3), "environment": {"SM_SGLANG_MEM_FRACTION_STATIC": "0.6"}},
}  # fmt: skip
# No request leads to these, whatever `force` says: the planner itself writes what is wrong there. Other people's
# endpoints have them all the same, so the log of the simulated start is played in a container of this stack.
PREVENTED = {
    "prefill larger than the cache": "MAX_BATCH_PREFILL_TOKENS is the plan's",
    "architecture TGI never got": f"no version of TGI serves {GPT_OSS}, so there is no plan",
    "GPU too old for the dtype": "the plan asks for float16 below compute capability 8.0",
    "TP does not divide the heads": "the degree is the plan's",
    "more shards than GPUs": "the number of shards is the plan's",
    "both names of one limit": "the second name is left out",
    "LMI without a model": "the plan names the model",
    "SGLang ignores HF_MODEL_ID": "the plan names the model as the server reads it",
}
PLAIN = {**VLLM, **model("Qwen/Qwen2.5-3B-Instruct")}


def failing(name: str, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "endpoint_name": name, "instance_type": "ml.g5.2xlarge", "health_check_timeout_seconds": 300, "force": True,
        "repair": {"max_attempts": 0}, **fields,
    }  # fmt: skip


def log_of(world: Any, case: str) -> str:
    story, _ = started(world, **WRONG[case])
    return "\n".join(line for _, line in story.lines)


@pytest.fixture(scope="module")
def prepared(caller: Any) -> Any:
    caller.control("PUT", "hub", SMALL_HUB)
    caller.control("PUT", "images", OWN_IMAGES)
    caller.stack.client("secretsmanager").create_secret(Name="hf-other", SecretString="hf_made_up_token_without_access")
    return caller


def test_every_case_is_asked_for_or_prevented() -> None:
    assert set(ASKED) | set(PREVENTED) == set(CAUSES)
    assert not set(ASKED) & set(PREVENTED)


def test_every_simulated_failure_is_diagnosed_from_the_log(prepared: Any, world: Any) -> None:
    caller = prepared
    names = {case: f"fails-{at}" for at, case in enumerate(CAUSES)}
    caller.faults(
        quota=dict.fromkeys(("ml.g5.2xlarge", "ml.g5.xlarge", "ml.p3.16xlarge", "ml.p3.2xlarge"), 500),
        replay=[{"endpoint": names[case], "log": log_of(world, case), "exit_code": 1} for case in PREVENTED],
    )
    outcomes = caller.outcomes({case: failing(names[case], ASKED.get(case, PLAIN)) for case in CAUSES})
    found = {case: outcome["diagnosis"]["cause"] for case, outcome in outcomes.items()}
    assert found == CAUSES
    for case, outcome in outcomes.items():
        assert (outcome["status"], bool(outcome["diagnosis"]["evidence"])) == ("NOT_DEPLOYED", True), case
        assert caller.left(names[case]) == []


# Each remedy that the diagnosis may apply to the request by itself, and the only fields it changes.
MENDED = {
    "architecture vLLM does not know yet": {"image_uri"},
    "KV cache larger than what is left": {"max_total_tokens"},
}


def test_what_the_log_proves_is_mended_in_the_next_attempt(prepared: Any) -> None:
    caller = prepared
    caller.faults(quota={"ml.g5.2xlarge": 500})
    more = {"repair": {"max_attempts": 1}}
    requests = {case: failing(f"mended-{at}", {**ASKED[case], **more}) for at, case in enumerate(MENDED)}
    for case, outcome in caller.outcomes(requests).items():
        assert outcome["status"] == "DEPLOYED", (case, outcome["timeline"])
        first, last = outcome["attempts"]
        assert (first["diagnosis"]["cause"], set(last["changes"])) == (CAUSES[case], MENDED[case])


def test_a_log_that_comes_late_is_waited_for(prepared: Any, world: Any) -> None:
    caller, case = prepared, "TP does not divide the heads"
    # Within 20 s of the start everything is printed, the window ends after 120 s, and CloudWatch shows it after 150 s.
    caller.faults(
        replay=[{"endpoint": "late-log", "log": log_of(world, case), "exit_code": 1}],
        logs={"delay_seconds": 150},
    )
    outcome = caller.outcome(caller.deploy(failing("late-log", {**PLAIN, "health_check_timeout_seconds": 120})))
    assert outcome["diagnosis"]["cause"] == CAUSES[case]
    assert not any("The log proves this attempt is lost" in entry["detail"] for entry in outcome["timeline"])


def test_without_a_log_full_memory_and_a_full_disk_are_proved_by_metrics(prepared: Any) -> None:
    caller = prepared
    cases = {"host memory": "MemoryUtilization", "disk full on an EBS-only type": "DiskUtilization"}
    names = {case: f"unheard-{at}" for at, case in enumerate(cases)}
    caller.faults(logs={"withheld": list(names.values())}, quota={"ml.g5.xlarge": 500, "ml.p3.16xlarge": 500})
    for case, outcome in caller.outcomes({case: failing(names[case], ASKED[case]) for case in cases}).items():
        diagnosis = outcome["diagnosis"]
        assert diagnosis["cause"] == CAUSES[case], diagnosis
        assert diagnosis["evidence"][0].startswith(f"CloudWatch: {cases[case]} reached 100.0 % at "), diagnosis
        assert "ping health check" in " ".join(diagnosis["evidence"])


def test_without_a_log_nothing_is_claimed_that_the_reason_does_not_say(prepared: Any) -> None:
    caller = prepared
    cases = ["gated model without a token", "no room for any cache", "SGLang's pool", "no such repository"]
    names = {case: f"silent-{at}" for at, case in enumerate(cases)}
    caller.faults(logs={"withheld": list(names.values())})
    for case, outcome in caller.outcomes({case: failing(names[case], ASKED[case]) for case in cases}).items():
        diagnosis = outcome["diagnosis"]
        right = diagnosis["cause"] == CAUSES[case]
        assert right or diagnosis["cause"] == "UNKNOWN" or diagnosis["confidence"] < 0.8, (case, diagnosis)
        assert "ping health check" in " ".join(diagnosis["evidence"])
