"""AWS's LMI (DJL Serving) image: its own front, with vLLM inside; every Python line wears PyProcess's prefix."""

from __future__ import annotations

from simulator.serving.repository import Repository
from simulator.serving.situation import Situation
from simulator.serving.story import Lost, Story
from simulator.serving.vllm import Engine
from simulator.serving.vllm_arguments import Arguments

# OPTION_* names that the LMI container passes to vLLM, and what vLLM calls them (djl-serving LMI user guide).
_OPTIONS = {
    "TENSOR_PARALLEL_DEGREE": "tensor-parallel-size", "MAX_MODEL_LEN": "max-model-len", "DTYPE": "dtype",
    "QUANTIZE": "quantization", "TRUST_REMOTE_CODE": "trust-remote-code", "REVISION": "revision",
    "GPU_MEMORY_UTILIZATION": "gpu-memory-utilization", "MAX_ROLLING_BATCH_SIZE": "max-num-seqs",
    "MAX_ROLLING_BATCH_PREFILL_TOKENS": "max-num-batched-tokens", "ENFORCE_EAGER": "enforce-eager",
    "KV_CACHE_DTYPE": "kv-cache-dtype", "KV_CACHE_MEMORY_BYTES": "kv-cache-memory-bytes",
}  # fmt: skip
# TGI's names that the entrypoint's translateTGIToLMI understands (djl-serving source); the others are ignored.
_FROM_TGI = {
    "HF_MODEL_QUANTIZE": "QUANTIZE", "HF_MODEL_TRUST_REMOTE_CODE": "TRUST_REMOTE_CODE",
    "SM_NUM_GPUS": "TENSOR_PARALLEL_DEGREE", "MAX_BATCH_PREFILL_TOKENS": "MAX_ROLLING_BATCH_PREFILL_TOKENS",
    "MAX_BATCH_SIZE": "MAX_ROLLING_BATCH_SIZE", "CUDA_MEMORY_FRACTION": "GPU_MEMORY_UTILIZATION",
}  # fmt: skip


def start(situation: Situation, story: Story) -> Repository:
    """Plays one start; raises Lost where the worker dies."""
    environment = situation.environment
    _front(story, f"DJL Serving v{situation.version} starting: Starting djl-serving: {situation.version} ...")
    name = environment.get("OPTION_MODEL_ID") or environment.get("HF_MODEL_ID") or _local(situation)
    if not name:
        _front(story, "Failed to initialize model: HF_MODEL_ID or option.model_id is required", "ERROR")
        raise story.lose()
    arguments = _arguments(situation)
    inner = Story(story.now + 6)
    try:
        repository = Engine(situation, inner, arguments, name).start()
    except Lost as lost:
        _copy(inner, story)
        story.say("[INFO ] PyProcess - Failed to load model: model, error: Worker died.", 1)
        _front(story, "Failed to start workers: ai.djl.engine.EngineException: Failed to initialize model", "ERROR")
        raise story.lose(lost.exit_code) from None
    _copy(inner, story)
    _front(story, "Initialize BOTH server with: EpollServerSocketChannel.")
    _front(story, "BOTH API bind to: http://0.0.0.0:8080")
    return repository


def _arguments(situation: Situation) -> Arguments:
    environment = situation.environment
    options = {_FROM_TGI[key]: value for key, value in environment.items() if key in _FROM_TGI}
    if "TENSOR_PARALLEL_DEGREE" in environment:
        options["TENSOR_PARALLEL_DEGREE"] = environment["TENSOR_PARALLEL_DEGREE"]
    if "HF_REVISION" in environment:
        options["REVISION"] = environment["HF_REVISION"]
    options |= {key.removeprefix("OPTION_"): value for key, value in environment.items() if key.startswith("OPTION_")}
    degree = options.get("TENSOR_PARALLEL_DEGREE", "max")
    options["TENSOR_PARALLEL_DEGREE"] = str(situation.machine.gpus or 1) if degree == "max" else degree
    given = {_OPTIONS[key]: value for key, value in options.items() if key in _OPTIONS and value.lower() != "false"}
    return Arguments({key: "" if value.lower() == "true" else value for key, value in given.items()})


def _local(situation: Situation) -> str | None:
    return "/opt/ml/model" if situation.local and situation.local["files"] else None


def _front(story: Story, text: str, level: str = "INFO") -> None:
    story.say(f"[{level:<5}] ModelServer - {text}", 1)


def _copy(inner: Story, outer: Story) -> None:
    for moment, line in inner.lines:
        outer.now = max(outer.now, moment)
        level = "WARN " if "Error" in line or "Traceback" in line else "INFO "
        outer.lines.append((moment, f"[{level}] PyProcess - W-160-model-stdout: [1,0]<stdout>:{line}"))
    outer.fills += inner.fills
    outer.now = max(outer.now, inner.now)
