"""vLLM's API server, version 1 engine: banner, checkpoint shards, compilation, KV cache, graphs."""

from __future__ import annotations

from simulator.servers.start import Start, Weights, access_problem, weights
from simulator.world import TAKEN_GIB, Machine

_CORE = "(EngineCore_DP0 pid=142) "


def start(server: str, version: str, env: dict[str, str], machine: Machine, accepted: str) -> Start:
    """What vLLM does with that environment on that machine."""
    name = env.get("SM_VLLM_MODEL") or env.get("SM_SGLANG_MODEL_PATH") or env.get("HF_MODEL_ID") or ""
    told = Start(server, name)
    told.say(f"(APIServer pid=1) INFO {{day}} [api_server.py:1839] vLLM API server version {version}", 12)
    tp = int(
        env.get("SM_VLLM_TENSOR_PARALLEL_SIZE")
        or env.get("OPTION_TENSOR_PARALLEL_DEGREE")
        or env.get("SM_SGLANG_TP")
        or 1
    )
    found = weights(name, machine)
    problem = access_problem(name, env.get("HF_TOKEN"), accepted)
    if problem or found is None:
        return _no_access(told, name, problem)
    if found.row["num_attention_heads"] % tp:
        told.say(
            f"pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig\n  Value error, Total number "
            f"of attention heads ({found.row['num_attention_heads']}) must be divisible by tensor parallel size ({tp}).",
            4,
        )
        return told.die()
    if (
        found.row.get("torch_dtype") == "bfloat16"
        and machine.gpu in ("T4", "V100")
        and "half" not in env.get("SM_VLLM_DTYPE", "").replace("float16", "half")
    ):
        told.say(
            f"ValueError: Bfloat16 is only supported on GPUs with compute capability of at least 8.0. Your {machine.gpu} "
            "GPU has compute capability 7.5. You can use float16 instead by explicitly setting the `dtype` flag in CLI, "
            "for example: --dtype=half.",
            6,
        )
        return told.die()
    return _load(told, found, env, machine, tp, version)


def _no_access(told: Start, name: str, problem: str | None) -> Start:
    if problem:
        told.say(
            f"huggingface_hub.errors.GatedRepoError: {problem} Client Error.\nCannot access gated repo for url "
            f"https://huggingface.co/{name}/resolve/main/config.json.\nAccess to model {name} is restricted.",
            3,
        )
        told.say(
            "OSError: You are trying to access a gated repo.\nMake sure to have access to it at "
            f"https://huggingface.co/{name}."
        )
    else:
        told.say(
            f"OSError: {name} is not a local folder and is not a valid model identifier listed on "
            "'https://huggingface.co/models'",
            3,
        )
    return told.die()


def _load(told: Start, found: Weights, env: dict[str, str], machine: Machine, tp: int, version: str) -> Start:
    told.say(
        f"{_CORE}INFO {{day}} [core.py:94] Initializing a V1 LLM engine (v{version}) with config: model='{told.model}'",
        14,
    )
    told.say(f"{_CORE}INFO {{day}} [gpu_model_runner.py:2602] Starting to load model {told.model}...", 6)
    each = found.gib / tp
    if each > machine.gib - 0.3:
        told.say(
            f"{_CORE}ERROR {{day}} [core.py:708] torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 224.00 MiB. "
            f"GPU 0 has a total capacity of {machine.gib:.2f} GiB of which 88.12 MiB is free.",
            found.load_seconds / 2,
        )
        return _engine_lost(told)
    told.say(
        f"{_CORE}INFO {{day}} [weight_utils.py:392] Time spent downloading weights for {told.model}: "
        f"{found.download_seconds:.6f} seconds",
        found.download_seconds,
    )
    pace = found.load_seconds / found.files
    for at in range(1, found.files + 1):
        told.say(
            f"{_CORE}Loading safetensors checkpoint shards:  {100 * at // found.files:2d}% Completed | {at}/{found.files} "
            f"[00:{int(pace * at) % 60:02d}<00:{int(pace * (found.files - at)) % 60:02d},  {pace:.2f}s/it]",
            pace,
        )
    told.say(f"{_CORE}INFO {{day}} [default_loader.py:267] Loading weights took {found.load_seconds:.2f} seconds")
    told.say(
        f"{_CORE}INFO {{day}} [gpu_model_runner.py:2653] Model loading took {each:.4f} GiB and "
        f"{found.load_seconds + found.download_seconds:.6f} seconds",
        1,
    )
    return _cache(told, found, env, machine, tp, each)


def _cache(told: Start, found: Weights, env: dict[str, str], machine: Machine, tp: int, each: float) -> Start:
    told.say(f"{_CORE}INFO {{day}} [backends.py:559] Dynamo bytecode transform time: 8.12 s", 9)
    told.say(f"{_CORE}INFO {{day}} [monitor.py:34] torch.compile takes 36.40 s in total", 28)
    room = machine.gib * float(env.get("SM_VLLM_GPU_MEMORY_UTILIZATION") or 0.9) - each - TAKEN_GIB
    if room <= 0:
        told.say(
            f"{_CORE}ERROR {{day}} [core.py:708] ValueError: No available memory for the cache blocks. Try increasing "
            "`gpu_memory_utilization` when initializing the engine.",
            3,
        )
        return _engine_lost(told)
    per_token = found.row["kv_bytes_per_token_bf16"] / min(tp, found.row.get("num_key_value_heads") or tp) / 2**30
    tokens, wanted = (
        int(room / per_token),
        int(env.get("SM_VLLM_MAX_MODEL_LEN") or found.row["max_position_embeddings"]),
    )
    told.say(f"{_CORE}INFO {{day}} [gpu_worker.py:298] Available KV cache memory: {room:.2f} GiB", 4)
    if tokens < wanted:
        told.say(
            f"{_CORE}ERROR {{day}} [core.py:708] ValueError: To serve at least one request with the models's max seq len "
            f"({wanted}), ({wanted * per_token:.2f} GiB KV cache is needed, which is larger than the available KV cache "
            f"memory ({room:.2f} GiB). Based on the available memory, the estimated maximum model length is {tokens}. Try "
            "increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.",
            1,
        )
        return _engine_lost(told)
    told.say(f"{_CORE}INFO {{day}} [kv_cache_utils.py:1087] GPU KV cache size: {tokens:,} tokens")
    told.say(f"{_CORE}INFO {{day}} [gpu_model_runner.py:3480] Graph capturing finished in 21 secs, took 0.58 GiB", 21)
    told.say(
        "(APIServer pid=1) INFO:     Started server process [1]\n(APIServer pid=1) INFO:     Waiting for application "
        "startup.\n(APIServer pid=1) INFO:     Application startup complete.",
        5,
    )
    return told


def _engine_lost(told: Start) -> Start:
    told.say(
        "(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
        2,
    )
    return told.die()
