"""Text Generation Inference: launcher, download, shards, router; text lines with levels, as versions 1.4 to 3.3 print."""

from __future__ import annotations

from simulator.servers.start import Start, Weights, access_problem, weights
from simulator.world import TAKEN_GIB, Machine

_FIRST = {
    "LlamaForCausalLM": (0,),
    "Gemma2ForCausalLM": (2, 1),
    "Qwen3ForCausalLM": (3, 3, 4),
    "Phi3ForCausalLM": (2, 0, 2),
}


def start(version: str, env: dict[str, str], machine: Machine, accepted: str) -> Start:
    """What TGI does with that environment on that machine."""
    numbers = tuple(int(part) for part in version.split("."))
    name = env.get("HF_MODEL_ID", "")
    told = Start("tgi", name, chat=numbers > (2, 3, 1) or env.get("MESSAGES_API_ENABLED") == "true")
    if not name:
        told.say("Error: HF_MODEL_ID must be set")
        return told.die()
    shards = int(env.get("SM_NUM_GPUS") or 1)
    told.say(_launcher(f'Args {{\n    model_id: "{name}",\n    num_shard: Some(\n        {shards},\n    ),'), 2)
    if "MAX_INPUT_LENGTH" in env and "MAX_INPUT_TOKENS" in env:
        told.say(
            'Error: ArgumentValidation("Both `max_input_tokens` and `max_input_length` are set. Please define only one.")'
        )
        return told.die()
    told.say(_launcher(f"Sharding model on {shards} processes")) if shards > 1 else None
    found = _download(told, name, env, machine, accepted, numbers)
    return _load(told, found, env, machine, shards, numbers) if found else told


def _launcher(text: str, level: str = "INFO", span: str = "") -> str:
    return f"{{at}}  {level} {span + ': ' if span else ''}text_generation_launcher: {text}"


def _download(
    told: Start, name: str, env: dict[str, str], machine: Machine, accepted: str, numbers: tuple[int, ...]
) -> Weights | None:
    told.say(_launcher(f"Starting check and download process for {name}", span="download"), 1)
    # Up to 2.0 the hub client of the image reads the old name only; from 2.2 both.
    token = env.get("HUGGING_FACE_HUB_TOKEN") or (env.get("HF_TOKEN") if numbers >= (2, 2) else None)
    problem = access_problem(name, token, accepted)
    found = weights(name, machine)
    if problem or found is None:
        _no_access(told, name, problem)
        told.die(after=1)
        return None
    each = found.download_seconds / found.files
    for at in range(1, found.files + 1):
        file = f"model-{at:05d}-of-{found.files:05d}.safetensors"
        told.say(_launcher(f"Download file: {file}"))
        left = int(each * (found.files - at))
        told.say(_launcher(f"Downloaded /tmp/hf/{file} in 0:00:{int(each) % 60:02d}."), each)
        told.say(_launcher(f"Download: [{at}/{found.files}] -- ETA: 0:{left // 60:02d}:{left % 60:02d}"))
    told.say(_launcher(f"Successfully downloaded weights for {name}", span="download"))
    return found


def _no_access(told: Start, name: str, problem: str | None) -> None:
    url = f"https://huggingface.co/{name}/resolve/main/config.json"
    if problem:
        words = "Unauthorized" if problem == "401" else "Forbidden"
        said = f"{problem} Client Error: {words} for url: {url}\n\nCannot access gated repo for url {url}."
        kind = "huggingface_hub.utils._errors.GatedRepoError"
    else:
        said = f"404 Client Error.\n\nRepository Not Found for url: https://huggingface.co/api/models/{name}."
        kind = "huggingface_hub.utils._errors.RepositoryNotFoundError"
    told.say(_launcher("Download encountered an error: ", "ERROR", "download"), 2)
    told.say(f"Traceback (most recent call last):\n{kind}: {said}")
    told.say("Error: DownloadError")


def _load(
    told: Start, found: Weights, env: dict[str, str], machine: Machine, shards: int, numbers: tuple[int, ...]
) -> Start:
    for rank in range(shards):
        told.say(_launcher(f"Starting shard rank={rank}", span="shard-manager"), 0.2)
    architecture = found.row["architecture"]
    if shards > machine.count or found.row["num_attention_heads"] % shards:
        told.say(_launcher(f"`num_heads` must be divisible by `num_shards` (got `num_heads`: "
                           f"{found.row['num_attention_heads']} and `num_shards`: {shards})", "ERROR"), 8)  # fmt: skip
        return _shard_lost(told)
    if numbers < _FIRST.get(architecture, (0,)):
        told.say(_launcher(f"Error when initializing model\nValueError: Unsupported model type "
                           f"{architecture.removesuffix('ForCausalLM').lower()}", "ERROR"), 8)  # fmt: skip
        return _shard_lost(told)
    each = found.gib / shards
    if each > machine.gib - 0.3:
        told.say(_launcher(f"Error when initializing model\ntorch.cuda.OutOfMemoryError: CUDA out of memory. Tried to "
                           f"allocate 224.00 MiB. GPU 0 has a total capacity of {machine.gib:.2f} GiB of which "
                           "88.12 MiB is free.", "ERROR"), found.load_seconds * machine.gib / found.gib)  # fmt: skip
        return _shard_lost(told)
    waited = 0.0
    while waited < found.load_seconds:
        pause = min(10.0, found.load_seconds - waited)
        waited += pause
        told.say(_launcher("Waiting for shard to be ready... rank=0", span="shard-manager"), pause)
    told.say(_launcher(f"Server started at unix:///tmp/text-generation-server-{shards - 1}"))
    for rank in range(shards):
        told.say(_launcher(f"Shard ready in {found.load_seconds:.9f}s rank={rank}", span="shard-manager"))
    return _warm_up(told, found, env, machine, each)


def _warm_up(told: Start, found: Weights, env: dict[str, str], machine: Machine, each: float) -> Start:
    told.say(_launcher("Starting Webserver"), 0.5)
    told.say("{at}  INFO text_generation_router: router/src/main.rs:354: Warming up model", 1)
    prefill = int(env.get("MAX_BATCH_PREFILL_TOKENS") or 4096)
    shards = int(env.get("SM_NUM_GPUS") or 1)
    per_token = found.row["kv_bytes_per_token_bf16"] / shards / 2**30
    room = (machine.gib - each - TAKEN_GIB) * 0.95
    tokens = int(max(0.0, room) / per_token)
    if tokens < prefill:
        told.say(_launcher(f"Method Warmup encountered an error.\nRuntimeError: Not enough memory to handle {prefill} "
                           "prefill tokens. You need to decrease `--max-batch-prefill-tokens`", "ERROR"), 6)  # fmt: skip
        told.say('Error: Backend(Warmup(Generation("Not enough memory to handle the prefill tokens")))')
        return told.die()
    if tokens < int(env.get("MAX_TOTAL_TOKENS") or 0):
        told.say(f"Error: ArgumentValidation(\"`max_total_tokens` must be <= `max_batch_total_tokens`. Given: "
                 f"{env['MAX_TOTAL_TOKENS']} and {tokens}\")", 6)  # fmt: skip
        return told.die()
    told.say(_launcher("Cuda Graphs are enabled for sizes [1, 2, 4, 8, 16, 32]"), 12)
    told.say(
        f"{{at}}  INFO text_generation_router: router/src/main.rs:369: Setting max batch total tokens to {tokens}", 8
    )
    told.say("{at}  INFO text_generation_router: router/src/main.rs:370: Connected")
    return told


def _shard_lost(told: Start) -> Start:
    told.say(_launcher("Shard 0 failed to start", "ERROR"), 1)
    told.say(_launcher("Shutting down shards"))
    told.say("Error: ShardCannotStart")
    return told.die()
