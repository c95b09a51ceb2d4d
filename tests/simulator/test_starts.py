"""Failures emerge from what is asked, and vanish when it is corrected: each case is wrong once and right once."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from simulator.beliefs.hardware import hardware
from simulator.fleet.instance import machine_of
from simulator.serving.filling import DISK, GPU_MEMORY, MEMORY, highest
from simulator.serving.situation import Situation
from simulator.serving.start import Served, play
from simulator.serving.story import Story
from simulator.settings import ACCEPTED_TOKEN
from simulator.simulation import Simulation

LLAMA3, LLAMA31 = "meta-llama/Meta-Llama-3-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"
LLAMA70, MISTRAL = "meta-llama/Meta-Llama-3-70B-Instruct", "mistralai/Mistral-7B-Instruct-v0.3"
QWEN3, GPT_OSS = "Qwen/Qwen3-8B", "openai/gpt-oss-20b"
VERSIONS = {"tgi": "3.3.6", "vllm": "0.29.0", "lmi": "0.36.0", "sglang": "0.5.18"}
MODEL_KEY = {"tgi": "HF_MODEL_ID", "vllm": "SM_VLLM_MODEL", "lmi": "HF_MODEL_ID", "sglang": "SM_SGLANG_MODEL_PATH"}


_SMALL = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "num_hidden_layers": 32, "hidden_size": 4096,
         "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000, "torch_dtype": "bfloat16",
         "max_position_embeddings": 8192}  # fmt: skip
_GIB = 2**30
SMALL_HUB: dict[str, Any] = {
    "team/custom-code": {"config": {**_SMALL, "auto_map": {"AutoConfig": "config.Config"}}, "weight_bytes": 2 * _GIB},
    "team/no-tokenizer": {"config": _SMALL, "weight_bytes": 2 * _GIB, "without": ["tokenizer.json"]},
    "team/no-template": {"config": _SMALL, "weight_bytes": 2 * _GIB, "texts": {"tokenizer_config.json": "{}"}},
    "team/partial": {"config": _SMALL, "files": {"model-00001-of-00002.safetensors": _GIB},
                     "texts": {"model.safetensors.index.json": '{"metadata": {"total_size": 2147483648}}'}},
    "team/pickled": {"config": _SMALL, "files": {"pytorch_model.bin": 12 * _GIB},
                     "without": ["model.safetensors.index.json"]},
    "team/plain": {"config": _SMALL, "weight_bytes": 2 * _GIB},
    "team/awq": {"config": {**_SMALL, "quantization_config": {"quant_method": "awq"}}, "weight_bytes": 4 * _GIB},
    "team/pinned": {"config": _SMALL, "weight_bytes": 2 * _GIB, "revisions": ["v1"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def world(served: Simulation) -> Simulation:
    served.hub.add(SMALL_HUB)
    return served


def started(
    world: Simulation, server: str, model: str, kind: str = "ml.g5.2xlarge", version: str = "",
    token: str = ACCEPTED_TOKEN, volume: int | None = None, cuda: tuple[int, int] = (12, 4), **environment: str,
) -> tuple[Story, Served | None]:  # fmt: skip
    found = hardware(kind)
    assert found is not None
    version = version or VERSIONS[server]
    own = {MODEL_KEY[server]: model} if model else {}
    tokens = {"HF_TOKEN": token} if token else {}
    situation = Situation(
        server=server, version=version, engine_version="0.23.0" if server == "lmi" else version, cuda=cuda,
        environment={**own, **tokens, **environment}, machine=machine_of(found, volume), hub_url=world.url,
        started_at=1_800_000_000.0,
    )  # fmt: skip
    return play(situation)


CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    ("weights larger than the GPU", {"server": "tgi", "model": LLAMA70},
     {"kind": "ml.g5.48xlarge", "SM_NUM_GPUS": "8"}, "CUDA out of memory"),
    ("weights larger than the GPU, vLLM", {"server": "vllm", "model": LLAMA70},
     {"kind": "ml.p4d.24xlarge", "SM_VLLM_TENSOR_PARALLEL_SIZE": "8"}, "CUDA out of memory"),
    ("KV cache larger than what is left", {"server": "vllm", "model": LLAMA31}, {"SM_VLLM_MAX_MODEL_LEN": "8192"},
     "KV cache is needed, which is larger"),
    ("the same before vLLM 0.8", {"server": "vllm", "model": LLAMA31, "version": "0.7.2"},
     {"SM_VLLM_MAX_MODEL_LEN": "8192"}, "maximum number of tokens that can be stored in KV cache"),
    ("no room for any cache", {"server": "vllm", "model": LLAMA3, "SM_VLLM_GPU_MEMORY_UTILIZATION": "0.7"},
     {"SM_VLLM_GPU_MEMORY_UTILIZATION": "0.95"}, "No available memory for the cache blocks"),
    ("max length larger than the model", {"server": "vllm", "model": LLAMA3, "SM_VLLM_MAX_MODEL_LEN": "9000"},
     {"SM_VLLM_MAX_MODEL_LEN": "8000"}, "is greater than the derived max_model_len"),
    ("token limits larger than the cache", {"server": "tgi", "model": LLAMA3, "MAX_TOTAL_TOKENS": "90000"},
     {"MAX_TOTAL_TOKENS": "4096"}, "`max_total_tokens` must be <= `max_batch_total_tokens`"),
    ("prefill larger than the cache", {"server": "tgi", "model": LLAMA3, "MAX_BATCH_PREFILL_TOKENS": "90000"},
     {"MAX_BATCH_PREFILL_TOKENS": "4096"}, "Not enough memory to handle 90000 prefill tokens"),
    ("host memory", {"server": "tgi", "model": "team/pickled", "kind": "ml.g5.xlarge"}, {"kind": "ml.g5.2xlarge"},
     "signaled to shutdown with signal 9"),
    ("disk full on an EBS-only type", {"server": "vllm", "model": "Qwen/Qwen2.5-32B-Instruct", "cuda": (12, 4),
                                       "kind": "ml.p3.16xlarge", "volume": 30, "SM_VLLM_DTYPE": "half",
                                       "SM_VLLM_TENSOR_PARALLEL_SIZE": "8"},
     {"volume": 200}, "No space left on device"),
    ("gated model without a token", {"server": "tgi", "model": LLAMA3, "token": ""}, {"token": ACCEPTED_TOKEN},
     "401 Client Error"),
    ("gated model, token without access", {"server": "vllm", "model": LLAMA3, "token": "hf_other"},
     {"token": ACCEPTED_TOKEN}, "403 Client Error"),
    ("no such repository", {"server": "vllm", "model": "team/nothing"}, {"model": "team/plain"},
     "is not a valid model identifier"),
    ("no such revision", {"server": "tgi", "model": "team/pinned", "HF_MODEL_REVISION": "v9"},
     {"HF_MODEL_REVISION": "v1"}, "Revision Not Found"),
    ("partial weights", {"server": "vllm", "model": "team/partial"}, {"model": "team/plain"},
     "MetadataIncompleteBuffer"),
    ("image older than the architecture", {"server": "tgi", "model": "google/gemma-2-9b-it", "version": "2.0.2",
                                             "HUGGING_FACE_HUB_TOKEN": ACCEPTED_TOKEN},
     {"version": "2.2.0"}, "Unsupported model type"),
    ("image older than the rope scaling", {"server": "tgi", "model": LLAMA31, "version": "2.1.1",
                                           "HUGGING_FACE_HUB_TOKEN": ACCEPTED_TOKEN},
     {"version": "2.2.0"}, "`rope_scaling` must be a dictionary"),
    ("architecture vLLM does not know yet", {"server": "vllm", "model": QWEN3, "version": "0.7.2",
                                             "SM_VLLM_MAX_MODEL_LEN": "8192"},
     {"version": "0.10.2"}, "are not supported for now"),
    ("architecture TGI never got", {"server": "tgi", "model": GPT_OSS}, {"model": MISTRAL}, "Unsupported model type"),
    ("GPU too old for the dtype", {"server": "vllm", "model": "Qwen/Qwen2.5-3B-Instruct", "kind": "ml.g4dn.xlarge"},
     {"SM_VLLM_DTYPE": "half", "SM_VLLM_MAX_MODEL_LEN": "8192"}, "Bfloat16 is only supported on GPUs"),
    ("GPU too old for the kernels", {"server": "vllm", "model": "team/plain", "kind": "ml.p3.2xlarge", "cuda": (13, 0),
                                     "SM_VLLM_DTYPE": "half", "volume": 100}, {"cuda": (12, 4)},
     "no kernel image is available"),
    ("TP does not divide the heads", {"server": "vllm", "model": LLAMA3, "kind": "ml.g5.48xlarge",
                                      "SM_VLLM_TENSOR_PARALLEL_SIZE": "6"}, {"SM_VLLM_TENSOR_PARALLEL_SIZE": "4"},
     "must be divisible by tensor parallel size"),
    ("more shards than GPUs", {"server": "tgi", "model": MISTRAL, "SM_NUM_GPUS": "4"}, {"SM_NUM_GPUS": "1"},
     "NotEnoughCUDADevices"),
    ("unknown flag from the environment", {"server": "vllm", "model": LLAMA3, "SM_VLLM_MAX_TOKENS": "9"},
     {"SM_VLLM_MAX_TOKENS": "false"}, "unrecognized arguments: --max-tokens 9"),
    ("unknown SGLang flag", {"server": "sglang", "model": LLAMA3, "SM_SGLANG_MAX_MODEL_LEN": "9"},
     {"SM_SGLANG_MAX_MODEL_LEN": "false"}, "unrecognized arguments: --max-model-len 9"),
    ("both names of one limit", {"server": "tgi", "model": LLAMA3, "MAX_INPUT_LENGTH": "9", "MAX_INPUT_TOKENS": "9"},
     {"model": MISTRAL, "MAX_INPUT_LENGTH": "9", "MAX_INPUT_TOKENS": None}, "Please define only one"),
    ("quantisation removed in this version", {"server": "vllm", "model": MISTRAL, "SM_VLLM_MAX_MODEL_LEN": "8192",
                                              "SM_VLLM_QUANTIZATION": "bitsandbytes"}, {"version": "0.27.1"},
     "Unknown quantization method"),
    ("quantisation of an unquantised checkpoint", {"server": "tgi", "model": MISTRAL, "HF_MODEL_QUANTIZE": "awq"},
     {"model": "team/awq"}, "qweight does not exist"),
    ("missing tokenizer", {"server": "vllm", "model": "team/no-tokenizer"}, {"model": "team/plain"},
     "Can't load tokenizer"),
    ("remote code not trusted", {"server": "vllm", "model": "team/custom-code"}, {"SM_VLLM_TRUST_REMOTE_CODE": "true"},
     "trust_remote_code=True"),
    ("LMI without a model", {"server": "lmi", "model": ""}, {"model": MISTRAL, "OPTION_MAX_MODEL_LEN": "8192"},
     "HF_MODEL_ID or option.model_id is required"),
    ("SGLang ignores HF_MODEL_ID", {"server": "sglang", "model": "", "HF_MODEL_ID": MISTRAL}, {"model": MISTRAL},
     "Incorrect path_or_model_id"),
    ("SGLang's pool", {"server": "sglang", "model": LLAMA3, "SM_SGLANG_MEM_FRACTION_STATIC": "0.6"},
     {"SM_SGLANG_MEM_FRACTION_STATIC": "0.88"}, "Please try to increase --mem-fraction-static"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "correction", "words"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_failure_emerges_and_vanishes_when_corrected(
    world: Simulation, wrong: dict[str, Any], correction: dict[str, Any], words: str
) -> None:
    story, serving = started(world, **wrong)
    assert serving is None
    assert story.exit_code
    assert words in "\n".join(line for _, line in story.lines)
    corrected = {key: value for key, value in {**wrong, **correction}.items() if value is not None}
    story, serving = started(world, **corrected)
    assert serving is not None, "\n".join(line for _, line in story.lines[-6:])


@pytest.mark.parametrize(
    ("case", "metric"),
    [("host memory", MEMORY), ("disk full on an EBS-only type", DISK), ("weights larger than the GPU", GPU_MEMORY),
     ("weights larger than the GPU, vLLM", GPU_MEMORY)],
)  # fmt: skip
def test_what_is_full_rises_to_the_end_and_never_where_it_suffices(world: Simulation, case: str, metric: str) -> None:
    _, wrong, correction, _ = next(row for row in CASES if row[0] == case)
    story, _ = started(world, **wrong)
    began = 1_800_000_000.0
    assert highest(story.fills, metric, began, began + 1, 1.0) < 5
    assert highest(story.fills, metric, began, story.now, 1.0) == 100
    assert highest(story.fills, metric, began, began + (story.now - began) / 8, 1.0) < 100
    story, _ = started(world, **{**wrong, **correction})
    gpus = 8 if metric == GPU_MEMORY else 1
    assert 15 * gpus < highest(story.fills, metric, began, story.now, 1.0) < 98 * gpus


def test_lines_come_in_the_order_of_time_and_none_after_the_end(world: Simulation) -> None:
    for server in VERSIONS:
        story, serving = started(world, server, MISTRAL, SM_VLLM_MAX_MODEL_LEN="8192", OPTION_MAX_MODEL_LEN="8192")
        moments = [moment for moment, _ in story.lines]
        assert serving is not None
        assert moments == sorted(moments)
        assert moments[-1] <= story.now


def test_healthy_starts_print_frightening_lines_too(world: Simulation) -> None:
    frightening = {"tgi": "Could not import", "vllm": "If out-of-memory error occurs", "sglang": "Ignore import error"}
    for server, words in frightening.items():
        story, serving = started(world, server, MISTRAL, SM_VLLM_MAX_MODEL_LEN="8192")
        assert serving is not None
        assert words in "\n".join(line for _, line in story.lines)


def test_tgi_can_log_in_json(world: Simulation) -> None:
    story, _ = started(world, "tgi", MISTRAL, JSON_OUTPUT="true")
    records = [json.loads(line) for _, line in story.lines]
    assert {record["level"] for record in records} == {"INFO", "WARN"}
    assert records[-1]["fields"]["message"] == "Connected"


def test_a_larger_model_takes_longer_and_more_than_the_short_window(world: Simulation) -> None:
    small, _ = started(world, "tgi", LLAMA3)
    large, serving = started(world, "tgi", LLAMA70, kind="ml.p4d.24xlarge", SM_NUM_GPUS="8")
    assert serving is not None
    assert 60 < small.now - 1_800_000_000 < 300 < large.now - 1_800_000_000 < 900


def test_tgi_1_4_loads_llama_3_but_never_stops(world: Simulation) -> None:
    old = {"version": "1.4.2", "HUGGING_FACE_HUB_TOKEN": ACCEPTED_TOKEN, "MESSAGES_API_ENABLED": "true"}
    _, endless = started(world, "tgi", LLAMA3, **old)
    _, ending = started(world, "tgi", LLAMA3, **{**old, "version": "2.0.2"})
    assert endless is not None
    assert ending is not None
    assert (endless.stops, ending.stops) == (False, True)


def test_messages_api_is_a_choice_up_to_2_3_and_both_afterwards(world: Simulation) -> None:
    _, generate_only = started(world, "tgi", MISTRAL, version="2.2.0")
    _, chat_only = started(world, "tgi", MISTRAL, version="2.2.0", MESSAGES_API_ENABLED="true")
    _, both = started(world, "tgi", MISTRAL, version="3.3.6")
    assert generate_only is not None
    assert chat_only is not None
    assert both is not None
    assert [(s.chat, s.generate) for s in (generate_only, chat_only, both)] == [
        (False, True), (True, False), (True, True),
    ]  # fmt: skip


def test_a_model_without_chat_template_serves_but_refuses_chat(world: Simulation) -> None:
    _, serving = started(world, "vllm", "team/no-template")
    assert serving is not None
    assert not serving.chat


def test_the_vllm_image_restarts_its_server_three_times_and_does_not_download_again(world: Simulation) -> None:
    story, _ = started(world, "vllm", LLAMA31)
    text = "\n".join(line for _, line in story.lines)
    assert text.count("vLLM API server version") == 4
    assert text.count("Loading weights took") == 4
    downloads = [line for _, line in story.lines if "Time spent downloading" in line]
    assert not downloads[0].endswith(": 0.000000 seconds")
    assert downloads[1].endswith(": 0.000000 seconds")
    once, _ = started(world, "vllm", LLAMA31, PROCESS_AUTO_RECOVERY="false")
    assert once.now < story.now


def test_a_wrong_entry_point_and_a_replayed_log(world: Simulation) -> None:
    found = hardware("ml.g5.2xlarge")
    assert found is not None
    situation = Situation("tgi", "3.3.6", "3.3.6", (12, 4), {}, machine_of(found, None), world.url, 1_800_000_000.0)
    story, serving = play(replace(situation, command=("start",)))
    assert (serving, story.exit_code) == (None, 127)
    story, serving = play(replace(situation, replay={"log": "one\ntwo", "exit_code": 3}))
    assert ([line for _, line in story.lines], story.exit_code, serving) == (["one", "two"], 3, None)
