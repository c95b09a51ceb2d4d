"""Where a GPU's memory goes while a server starts, per server and version; all sizes in GiB per GPU.

vLLM's rule is that of `gpu_worker.determine_available_memory`: what is asked for (a share of the total) less weights,
communication buffers, the profiling peak and, from 0.21, the CUDA graphs; the rest is KV cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from inservice.planning.tables import Model, parsed

GIB = 2**30
# Communication buffers and context by tensor parallel degree, read from vLLM's own "non-torch memory" lines.
_NON_TORCH = {1: 0.12, 2: 0.5, 4: 0.6, 8: 2.1}
# The sampler's buffers against sequences × vocabulary × 4 bytes; fitted on vLLM 0.11's published H100 table.
_SAMPLER = 9.65
# What a method leaves of the linear layers' bf16 bytes, with scales and zero points of groups of 128; embeddings and
# output head stay as they are. It gives published checkpoints' sizes to 1 % (Llama 3.1 70B fp8, 405B AWQ, Phi-4 GPTQ).
_QUANTISED = {
    "awq": 0.266, "awq_marlin": 0.266, "gptq": 0.266, "gptq_marlin": 0.266, "marlin": 0.266, "int4": 0.266,
    "w4a16": 0.266, "mxfp4": 0.266, "exl2": 0.28, "bitsandbytes-nf4": 0.28, "bitsandbytes-fp4": 0.28,
    "fp8": 0.5, "int8": 0.5, "w8a8": 0.5, "eetq": 0.5, "bitsandbytes": 0.5, "compressed-tensors": 0.5,
}  # fmt: skip
# GGUF's Q4_K_M packs the embeddings too: 4.85 bits a weight.
_GGUF = 0.31
# The least that the encoder's profiling run with its largest images has been seen to add, in GiB.
_VISION = 2.0
# The driver keeps this much back while the graphs of the default batch sizes are captured.
_GRAPHS = 0.45


@dataclass(frozen=True)
class Load:
    """How a server is asked to run: degree, lengths, batch, share of the GPU."""

    server: str
    version: str
    tp: int
    max_model_len: int
    max_num_seqs: int
    max_num_batched_tokens: int
    utilisation: float
    quantization: str | None = None
    kv_bytes: int = 2
    eager: bool = False
    # vLLM's engine before V1 with chunked prefill: its profiling run samples next to nothing.
    samples: bool = True


@dataclass(frozen=True)
class Budget:
    """One GPU's memory in GiB; `kv_gib` may be negative where nothing is left."""

    total: float
    weights: float
    overhead: float
    kv_gib: float
    kv_tokens: int
    needed_tokens: int

    @property
    def fits(self) -> bool:
        """Whether the weights and one request of full length fit."""
        return self.kv_gib > 0 and self.kv_tokens >= self.needed_tokens


def default_utilisation(server: str, version: str) -> float:
    """The share of the GPU a server takes by itself: vLLM 0.90, and 0.92 from 0.20.0 (its `CacheConfig`)."""
    if server == "vllm":
        return 0.92 if parsed(version) >= (0, 20) else 0.90
    return 0.90


def default_batch(gpu_gib: float, *, a100: bool, version: str = "0.30.0") -> tuple[int, int]:
    """vLLM's own (max_num_seqs, max_num_batched_tokens) for its API server (`EngineArgs._set_default_args`)."""
    if parsed(version) < (0, 8):
        return 256, 2048
    if gpu_gib >= 160:
        return 1024, 16384
    if gpu_gib >= 70 and not a100:
        return 1024, 8192
    return 256, 2048


def weights_gib(model: Model, quantization: str | None) -> float | None:
    """All weights as they lie in GPU memory, over all GPUs; None when their size is not known."""
    if model.weights_gib is None:
        return None
    if model.quantization and model.quantization == quantization:
        return model.weights_gib
    if quantization and not model.quantization and not _is_quantised_name(model.name):
        return _quantised_gib(model, model.weights_gib, quantization)
    return model.weights_gib


def _quantised_gib(model: Model, bf16: float, quantization: str) -> float:
    """The weights after a method, named by its first word where people add more, such as "gptq int4"."""
    words = [quantization.lower(), *quantization.lower().replace("(", " ").split()]
    if "gguf" in words:
        return bf16 * _GGUF
    share = next((_QUANTISED[word] for word in words if word in _QUANTISED), 1.0)
    embeddings = min(bf16, 2 * model.vocab * model.hidden * 2 / GIB)
    return embeddings + (bf16 - embeddings) * share


def _is_quantised_name(name: str) -> bool:
    return any(mark in name.lower() for mark in ("-awq", "-gptq", "-fp8", "-int4", "-int8", "-bnb"))


def kv_bytes_per_token(model: Model, tp: int, kv_bytes: int = 2) -> float:
    """KV cache bytes of one token on one GPU; heads are replicated beyond their number, MLA is never divided."""
    if model.mla and model.kv_bytes_per_token:
        return model.kv_bytes_per_token * kv_bytes / 2
    heads = max(1, math.ceil(model.kv_heads / tp))
    return 2 * model.layers * heads * model.head_dim * kv_bytes


def budget(model: Model, gpu_gib: float, load: Load) -> Budget | None:
    """The GPU's memory under that load; None when the weights' size is not known."""
    all_weights = weights_gib(model, load.quantization)
    if all_weights is None:
        return None
    weights = all_weights / load.tp + model.max_positions * model.head_dim * 2 / GIB
    overhead = _overhead(model, load)
    room = gpu_gib * load.utilisation - weights - overhead
    per_token = kv_bytes_per_token(model, load.tp, load.kv_bytes)
    # Servers hand out whole blocks of 16 tokens.
    tokens = max(0, int(room * GIB / per_token) // 16 * 16)
    return Budget(gpu_gib, round(weights, 2), round(overhead, 2), round(room, 2), tokens, _needed(model, load))


def _overhead(model: Model, load: Load) -> float:
    non_torch = _NON_TORCH.get(load.tp, 0.15 + 0.25 * load.tp)
    rows = min(load.max_num_seqs, load.max_num_batched_tokens)
    sampler = _SAMPLER * rows * model.vocab * 4 / GIB if load.samples else 0.0
    mlp = load.max_num_batched_tokens * 2 * (3 * model.intermediate / load.tp + 2 * model.hidden) / GIB
    reserves_graphs = load.server in ("vllm", "lmi") and parsed(load.version) >= (0, 21) and not load.eager
    if load.server == "tgi":
        # TGI samples on the last token of each sequence only; its graphs come after the cache, out of the rest.
        sampler = min(sampler, 0.4)
    vision = _VISION if _sees(model) else 0.0
    return non_torch + vision + max(sampler, mlp) + (_GRAPHS if reserves_graphs else 0.0)


def _sees(model: Model) -> bool:
    """Whether the model reads images too; Gemma 3's 1B does not."""
    return (
        "ConditionalGeneration" in model.architecture or "(text part)" in model.name or "vision" in model.name.lower()
    )


def _needed(model: Model, load: Load) -> int:
    """Tokens one request of full length holds in the cache, rounded to whole blocks."""
    length = load.max_model_len
    if "alternating sliding" in model.attention:
        window = 4096 if "4096" in model.attention else 128
        length = (length + min(length, window)) // 2
    elif "local" in model.attention:
        window = 1024 if "1024" in model.attention else 512
        length = (length + 5 * min(length, window)) // 6
    return -(-length // 16) * 16
