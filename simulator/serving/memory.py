"""GPU memory as real servers reported it, not as a planner would compute it.

vLLM: points of public start-up logs between which the simulator interpolates. TGI: the share of what the weights
leave that two logged runs turned into cache. SGLang: its own printed numbers, which follow one rule exactly.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from simulator.serving.filling import GPU_MEMORY
from simulator.serving.repository import Repository
from simulator.serving.situation import Machine, numbers
from simulator.serving.story import Story

# (vocabulary x sequences in millions, GiB of profiling peak): phi-4, Llama-3 and Qwen2.5 at 256 sequences; Llama-3,
# Qwen3 and gpt-oss at 1024 (llm-d benchmark's empirical vLLM table for H100; vLLM issue logs).
_PEAKS = ((0.0, 0.05), (25.7, 0.94), (32.8, 1.19), (38.9, 1.42), (131.3, 4.80), (155.6, 5.60), (205.9, 7.38))
# Memory outside PyTorch by tensor parallel degree, medians of the same logs.
_OUTSIDE = {1: 0.13, 2: 0.54, 4: 0.45, 8: 2.1}
# CUDA graphs, subtracted from the cache from vLLM 0.21 on (vLLM 0.21 release notes); 0.4 to 1 GiB in logs.
_GRAPHS_GIB = 0.6
# Cache GiB per GiB left by the weights: 7.44 of 9.5 (Swallow-7B, A10, TGI 2.0.3), 5.35 of 8.5 (Mistral-7B, g5, 3.x).
_TGI_SHARE = 0.70
# Bytes a parameter takes relative to 16 bit once quantised at load: 4 bit plus scales, 8 bit.
_SHRINK = {"bitsandbytes": 0.32, "bitsandbytes-nf4": 0.32, "bitsandbytes-fp4": 0.32, "fp8": 0.53, "eetq": 0.53}
# A context and its libraries before anything is loaded.
_CONTEXT_GIB = 0.5


@dataclass(frozen=True)
class Room:
    """GiB on one GPU: weights, what profiling took, and what is left for the KV cache."""

    weights: float
    taken: float
    cache: float


def weights_each(repository: Repository, tensor_parallel: int, online: str | None) -> float:
    """GiB of weights on each GPU; `online` is a quantisation done while loading."""
    factor = _SHRINK.get(online or "", 1.0) if not repository.quantization else 1.0
    return repository.weights_gib * factor / tensor_parallel


def vllm_room(
    machine: Machine, repository: Repository, version: str, *, tensor_parallel: int, utilization: float,
    sequences: int, eager: bool, online: str | None,
) -> Room:  # fmt: skip
    """What vLLM's profiling run finds."""
    weights = weights_each(repository, tensor_parallel, online)
    taken = _peak(repository.number("vocab_size", 32000) * sequences / 1e6) + _OUTSIDE.get(tensor_parallel, 2.1)
    graphs = _GRAPHS_GIB if numbers(version) >= (0, 21) and not eager else 0.0
    return Room(weights, taken, machine.gpu_gib * utilization - weights - taken - graphs)


def vllm_default_utilization(version: str) -> float:
    """0.90, and 0.92 from vLLM 0.20.0 on."""
    return 0.92 if numbers(version) >= (0, 20) else 0.90


def vllm_default_sequences(machine: Machine, version: str) -> int:
    """max_num_seqs of the API server: 1024 on GPUs of 70 GiB and more but A100, from 0.9 on; else 256."""
    large = machine.gpu_gib >= 70 and machine.gpu != "A100" and numbers(version) >= (0, 9)
    return 1024 if large else 256


def tgi_room(machine: Machine, repository: Repository, shards: int, online: str | None) -> Room:
    """What TGI's warm-up turns into cache."""
    weights = weights_each(repository, shards, online)
    left = machine.gpu_gib - weights
    return Room(weights, left * (1 - _TGI_SHARE), left * _TGI_SHARE if left > _CONTEXT_GIB else left - _CONTEXT_GIB)


def sglang_room(machine: Machine, repository: Repository, tensor_parallel: int, fraction: float) -> Room:
    """SGLang's pool: what is free after the weights, less what mem_fraction_static leaves untouched."""
    before = machine.gpu_gib - _CONTEXT_GIB
    weights = weights_each(repository, tensor_parallel, None)
    return Room(weights, _CONTEXT_GIB, before - weights - before * (1 - fraction))


def does_not_fit(machine: Machine, weights: float) -> bool:
    """Whether the weights alone are too large for the GPU."""
    return weights > machine.gpu_gib - _CONTEXT_GIB


def fill_gpus(story: Story, machine: Machine, each: float, gpus: int, seconds: float, after: float = 0.0) -> None:
    """Weights go to so many GPUs over so many seconds, until they are there or the GPUs are full."""
    share = min(1.0, each / machine.gpu_gib) if machine.gpu_gib else 0.0
    story.fill(GPU_MEMORY, 100 * share * gpus, seconds * min(1.0, machine.gpu_gib / max(each, 0.01)), after)


def _peak(millions: float) -> float:
    for (low, gib_low), (high, gib_high) in itertools.pairwise(_PEAKS):
        if millions <= high:
            return gib_low + (gib_high - gib_low) * (millions - low) / (high - low)
    return _PEAKS[-1][1] * millions / _PEAKS[-1][0]
