"""What a plan says: the request that started it all, what is refused, and what is never changed silently."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inservice.contracts import Planning
from inservice.planning import plan_document
from inservice.planning.memory import Load, budget
from inservice.planning.tables import instances, model_from_config
from inservice.ports import HubModel, Lookups

EVENTS = Path(__file__).parents[3] / "events"
LLAMA = {"model": {"hub_id": "meta-llama/Meta-Llama-3-8B-Instruct"}, "hf_token_secret": "hf-token"}
QWEN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}}


def codes(planning: Planning, severity: str = "") -> set[str]:
    return {finding.code for finding in planning.findings if severity in ("", finding.severity)}


def plan(**fields: Any) -> Planning:
    return plan_document({**LLAMA, "instance_type": "ml.g5.2xlarge", **fields})


def event(name: str) -> dict[str, Any]:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_the_request_that_started_it_all_is_accepted_and_put_right() -> None:
    planning = plan_document(event("api-llama3-8b"))
    assert planning.accepted
    assert planning.plan is not None
    assert planning.plan.volume_size_gb is None
    assert planning.plan.server_version == "2.0.2"
    assert "HF_TASK" not in planning.plan.environment
    assert codes(planning, "warning") == {"VOLUME_NOT_ALLOWED", "VERSION_CHANGED", "ENVIRONMENT_WITHOUT_EFFECT"}
    assert all(finding.fix for finding in planning.findings)


def test_a_window_far_too_short_is_refused_and_forced_into_a_warning_that_names_the_right_one() -> None:
    request = event("api-llama3-70b-short-window")
    forced = plan_document(request)
    assert forced.accepted
    assert forced.plan is not None
    assert forced.plan.health_check_timeout_seconds == 300
    [finding] = [finding for finding in forced.findings if finding.code == "WINDOW_TOO_SHORT"]
    window = int("".join(character for character in finding.fix if character.isdigit()))
    assert forced.plan.predicted_load_seconds is not None
    assert forced.plan.predicted_load_seconds.likely < window <= 3600
    assert "WINDOW_TOO_SHORT" in codes(plan_document({**request, "force": False}), "error")


def test_three_mistakes_are_three_findings_with_a_fix_each() -> None:
    planning = plan(instance_count=0, health_check_timeout_seconds=20, colour="red")
    assert not planning.accepted
    wrong = {finding.field: finding for finding in planning.findings if finding.code == "INVALID_FIELD"}
    assert set(wrong) == {"instance_count", "health_check_timeout_seconds", "colour"}
    assert all(finding.fix for finding in wrong.values())


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"environment": {"HF_TOKEN": "hf_" + "a" * 30}}, "TOKEN_IN_ENVIRONMENT"),
        ({"environment": {"OTHER": "hf_" + "a" * 30}, "force": True}, "TOKEN_IN_ENVIRONMENT"),
        ({"environment": {"SM_VLLM_MAX_MODEL_LENN": "1"}}, "UNKNOWN_FLAG"),
        ({"model": {"hub_id": "openai/gpt-oss-20b"}, "server": "tgi"}, "SERVER_CANNOT_SERVE"),
        ({"model": {"hub_id": "meta-llama/Llama-3.2-11B-Vision-Instruct"}, "server": "vllm"}, "SERVER_CANNOT_SERVE"),
        ({"quantization": "bitsandbytes", "server": "vllm", "server_version": "0.30.0"}, "VERSION_CHANGED"),
        ({"instance_type": "ml.m5.large"}, "INSTANCE_WITHOUT_GPU"),
        ({"instance_type": "ml.g5.3xlarge"}, "INSTANCE_TYPE_UNKNOWN"),
        ({"model": {"hub_id": "meta-llama/Meta-Llama-3-70B-Instruct"}}, "WEIGHTS_DO_NOT_FIT"),
        ({"max_total_tokens": 100_000}, "TOKENS_OVER_MODEL"),
        ({"model": {"hub_id": "meta-llama/Llama-3.1-8B-Instruct"}, "max_total_tokens": 120_000}, "TOKENS_DO_NOT_FIT"),
        ({"max_input_tokens": 5000, "max_total_tokens": 4096}, "TOKENS_CONTRADICT"),
        ({"hf_token_secret": None}, "TOKEN_NEEDED"),
        ({"environment": {"LONG": "x" * 1025}, "force": True}, "ENVIRONMENT_TOO_LARGE"),
        ({"instance_type": "ml.p3.2xlarge", **QWEN, "server": "vllm", "max_total_tokens": 512}, "GPU_TOO_OLD"),
        ({"max_cost_usd": 0.01}, "TOO_EXPENSIVE"),
        ({"instance_type": "ml.p3.2xlarge", "volume_size_gb": 5, **QWEN, "server": "tgi"}, "VOLUME_TOO_SMALL"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_before_it_costs(fields: dict[str, Any], code: str) -> None:
    planning = plan(**fields)
    assert code in codes(planning)
    if code not in ("VERSION_CHANGED",):
        assert not planning.accepted


def test_the_host_image_follows_the_cuda_of_the_container() -> None:
    newest, older = plan(server="vllm").plan, plan(server="tgi").plan
    assert newest is not None
    assert older is not None
    assert newest.inference_ami_version == "al2023-ami-sagemaker-inference-gpu-4-1"
    assert older.inference_ami_version == "al2-ami-sagemaker-inference-gpu-3-1"


def test_a_plan_never_holds_the_token_nor_a_place_for_it() -> None:
    made = plan(server="tgi").plan
    assert made is not None
    assert not any("TOKEN" in name and "MAX" not in name for name in made.environment)


def test_auto_takes_the_cheapest_type_that_holds_the_model() -> None:
    made = plan_document({**QWEN, "instance_type": "auto"}).plan
    assert made is not None
    assert made.instance_type in {instance.name for instance in instances()}
    assert made.cost_per_hour_usd is not None
    assert made.cost_per_hour_usd < 2


def test_fallbacks_become_pools_each_with_an_environment_of_its_own() -> None:
    made = plan(server="vllm", fallback_instance_types=["ml.g5.12xlarge", "ml.g6.2xlarge", "ml.g4dn.xlarge"])
    assert made.plan is not None
    assert made.plan.instance_pools is not None
    degrees = {
        pool.instance_type: pool.environment["SM_VLLM_TENSOR_PARALLEL_SIZE"] for pool in made.plan.instance_pools
    }
    assert degrees == {"ml.g5.2xlarge": "1", "ml.g5.12xlarge": "4", "ml.g6.2xlarge": "1"}
    assert "FALLBACK_LEFT_OUT" in codes(made)


def test_what_the_hub_and_the_quota_say_is_heard_and_silence_is_no_refusal() -> None:
    asked = Lookups(hub=HubModel(access="missing"), quota={"ml.g5.2xlarge": 0})
    refused = plan_document({**LLAMA, "instance_type": "ml.g5.2xlarge"}, lookups=asked)
    assert {"MODEL_NOT_FOUND", "QUOTA_TOO_LOW"} <= codes(refused, "error")
    silent = Lookups(unanswered=("hub: it timed out",))
    assert plan_document({**LLAMA, "instance_type": "ml.g5.2xlarge"}, lookups=silent).accepted


def test_an_unknown_model_is_planned_with_what_is_known() -> None:
    planning = plan_document({"model": {"hub_id": "someone/new-model"}, "instance_type": "ml.g5.2xlarge"})
    assert planning.accepted
    assert "MODEL_UNKNOWN" in codes(planning, "warning")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=8,
)
FIELDS = ["model", "server", "instance_type", "environment", "max_total_tokens", "repair", "tags", "quantization"]


@settings(max_examples=200, deadline=None)
@given(st.one_of(JSON, st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5)))
def test_no_json_value_makes_it_crash(document: Any) -> None:
    assert plan_document(document) == plan_document(document)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Qwen/Qwen2.5-7B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3", "Qwen/Qwen3-8B"]),
    st.integers(256, 30_000), st.integers(0, 8000), st.integers(1, 256), st.integers(0, 256),
)  # fmt: skip
def test_more_context_or_concurrency_never_needs_less_memory(
    model: str, tokens: int, more: int, together: int, others: int
) -> None:
    def room(total: int, concurrent: int) -> Any:
        request = {"model": {"hub_id": model}, "server": "vllm", "instance_type": "ml.g5.2xlarge", "force": True}
        made = plan_document({**request, "max_total_tokens": total, "max_concurrent_requests": concurrent,
                              "hf_token_secret": "hf-token"}).plan  # fmt: skip
        assert made is not None
        return made.memory

    small, large = room(tokens, together), room(tokens + more, together + others)
    assert large.kv_cache_gib <= small.kv_cache_gib


@settings(max_examples=80, deadline=None)
@given(st.integers(4, 120), st.integers(0, 40), st.integers(1, 6), st.sampled_from([1, 2, 4, 8]))
def test_a_bigger_model_never_leaves_more_room(layers: int, more: int, width: int, tp: int) -> None:
    def room(deep: int) -> float:
        config = {
            "architectures": ["LlamaForCausalLM"], "num_hidden_layers": deep, "hidden_size": 1024 * width,
            "num_attention_heads": 8 * width, "num_key_value_heads": 8, "vocab_size": 128_000,
        }  # fmt: skip
        made = model_from_config("someone/model", config, 2 * 12 * deep * (1024 * width) ** 2)
        assert made is not None
        found = budget(made, 80.0, Load("vllm", "0.30.0", tp, 4096, 256, 2048, 0.92))
        assert found is not None
        return found.kv_tokens

    assert room(layers + more) <= room(layers)


def test_a_plan_takes_under_20_milliseconds_and_loads_no_aws_sdk() -> None:
    plan()
    begun = time.perf_counter()
    for _ in range(20):
        plan()
    assert (time.perf_counter() - begun) / 20 < 0.02
    probe = "import sys, inservice.planning; print([m for m in sys.modules if m.startswith(('boto', 'aws_'))])"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout.strip() == "[]"


def test_mistake_of_the_seed_volume_on_a_type_with_nvme() -> None:
    made = plan(volume_size_gb=300)
    assert made.accepted
    assert made.plan is not None
    assert made.plan.volume_size_gb is None


def test_mistake_of_the_seed_tgi_142_for_llama_3() -> None:
    made = plan(server="tgi", server_version="1.4.2").plan
    assert made is not None
    assert made.server_version == "2.0.2"


def test_mistake_of_the_seed_messages_api_enabled_after_tgi_231() -> None:
    late = plan(server="tgi", server_version="3.3.6", environment={"MESSAGES_API_ENABLED": "true"})
    assert late.plan is not None
    assert "MESSAGES_API_ENABLED" not in late.plan.environment
    assert "ENVIRONMENT_WITHOUT_EFFECT" in codes(late, "warning")


def test_mistake_of_the_seed_both_names_of_the_longest_prompt() -> None:
    made = plan(server="tgi", environment={"MAX_INPUT_LENGTH": "2048", "MAX_INPUT_TOKENS": "2048"}).plan
    assert made is not None
    assert len({"MAX_INPUT_LENGTH", "MAX_INPUT_TOKENS"} & set(made.environment)) == 1


def test_mistake_of_the_seed_the_old_name_of_the_token() -> None:
    from inservice.planning.environment import token_variables

    assert token_variables("tgi", "2.0.2") == ("HUGGING_FACE_HUB_TOKEN",)
    assert token_variables("tgi", "3.3.6") == token_variables("vllm", "0.30.0") == ("HF_TOKEN",)


def test_mistake_of_the_seed_bitsandbytes_on_todays_vllm() -> None:
    made = plan(server="vllm", quantization="bitsandbytes").plan
    assert made is not None
    assert made.server_version == "0.27.1"


def test_the_first_pool_of_auto_is_the_type_that_was_chosen() -> None:
    made = plan_document({**QWEN, "instance_type": "auto", "fallback_instance_types": ["ml.g5.12xlarge"]})
    assert made.plan is not None
    assert made.plan.instance_pools is not None
    assert made.plan.instance_pools[0].instance_type == made.plan.instance_type
    assert "FALLBACK_LEFT_OUT" not in codes(made)
