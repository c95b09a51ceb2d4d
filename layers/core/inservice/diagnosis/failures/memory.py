"""Failures of memory and disk: GPU memory for weights or for the KV cache, host memory, storage."""

# ruff: noqa: E501 - the signs are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

import re

from inservice.diagnosis.failures.failure import FRAMES, ROOT, SPECIFIC, WEAK, Failure, sign, signs

# Functions that run while weights are placed, and functions that run once they are (vLLM, SGLang, TGI sources).
_PLACES_WEIGHTS = re.compile(
    r"create_weights|load_weights|load_model\b|load_state_dict|get_sharded|get_partial_sharded|get_weights|from_pretrained|"
    r"process_weights_after_loading|_initialize_model|initialize_model|model_loader|make_layers|get_multi_weights|"
    r"get_tensor|weights\.py|quantize_|repack|VocabParallelEmbedding|load_checkpoint"
)
_USES_BUDGET = re.compile(
    r"profile_run|_dummy_run|determine_num_available_blocks|determine_available_memory|sampler|logits|allocate_kv_cache|"
    r"allocate_gpu|initialize_cache|initialize_kv_cache|_initialize_kv|capture_model|capture_graph|cuda_graph|"
    r"init_cuda_graphs|init_memory_pool|TokenToKVPool|memory_pool|\bforward\b|forward_(?:batch|extend|decode)|execute_model|"
    r"warm_?up|prefill|decode|generate_token|cache_engine|CacheManager|init_kv_cache|in apply\b"
)
_WEIGHTS_PLACED = re.compile(
    r"Model loading took|Loading (?:model )?weights took|Load weight end|Memory pool end|Warming up model|Shard ready|"
    r"Memory profiling|KV cache size|Capturing|Capture cuda graph|weights take|# (?:GPU|cuda) blocks|sampler|dummy requests|"
    r"Available KV cache|max_total_num_tokens=",
    re.IGNORECASE,
)

# A failure whose message is raised from any other; search.py asks for it by this key.
WRAPS_ANYTHING = "warm_up_out_of_memory"


def host_or_gpu(before: list[str], line: str) -> str | None:
    """Which memory DJL Serving found too small: it prints the host's first, then the GPU's (wlm's ModelInfo.java)."""
    told = [text for text in before if "Available" in text and " memory: " in text]
    return "GPU_OOM_WEIGHTS" if told and "Available GPU" in told[-1] else None


def weights_or_budget(before: list[str], line: str) -> str | None:
    """Whether an allocation failed while placing weights or afterwards, from the innermost telling frame."""
    # Inductor tries kernels out while it compiles, which is after the weights were placed.
    if re.search(r"InductorError|autotun", line):
        return "GPU_OOM_KV_CACHE"
    if re.search(r"warming up sampler|max_num_seqs|dummy requests|mem-fraction-static|capture cuda graph", line, re.I):
        return "GPU_OOM_KV_CACHE"
    for text in reversed(before[-90:]):
        if re.search(r"\w(?:Config|Args)\(", text):
            continue
        if "File" not in text and " in " not in text and not re.search(r"\w\(", text):
            continue
        if _PLACES_WEIGHTS.search(text):
            return "GPU_OOM_WEIGHTS"
        if _USES_BUDGET.search(text):
            return "GPU_OOM_KV_CACHE"
    placed = any(_WEIGHTS_PLACED.search(text) for text in before)
    return "GPU_OOM_KV_CACHE" if placed else None


MEMORY_FAILURES: tuple[Failure, ...] = (
    Failure(
        "kv_cache_too_small", "GPU_OOM_KV_CACHE", ROOT, 0.97,
        "The requested context does not fit into the GPU memory left for the KV cache.",
        "Lower max_total_tokens to what the engine says fits, or use a GPU with more memory.",
        (
            sign("max seq len", r"max seq len.{0,60}is larger than the maximum number of tokens|larger than the (?:maximum number of tokens|available KV cache)|at least one request with the model"),
            sign("larger than the available kv cache memory"), sign("is less than requested memory for kv"),
            sign("estimated maximum model length is", None, r"^\s*INFO"),
            sign("no available memory for the cache blocks"),
            sign("available kv cache memory (", r"not enough|larger than"),
            # vLLM, SGLang and TGI say how much is left as information, and give up in words that may be lost.
            sign("available kv cache memory", r"available kv cache memory(?: is)?:? -\d"),
            sign("kv cache size", r"kv cache size: (?:-\d|0 tokens)"), sign("# gpu blocks", r"# gpu blocks: (?:0\b|-\d)"),
            sign("max_total_num_tokens=", r"max_total_num_tokens=(?:0\b|-\d)"),
            sign("tokens that can be stored in kv cache"),
            # The router's error as Rust prints it (TGI's backends/v3), and TensorRT-LLM's.
            sign("notenoughmemory("), sign("maxtokensinpagedkvcache", r"must be large enough"),
            sign("kv cache is needed"),
            sign("not enough kv cache"), sign("auto-fit max_model_len", r"not enough"),
            sign("`max_batch_total_tokens`", r"must be <= `?max_batch_total_tokens"),
            sign("max_total_tokens` must be <="),
            sign("model can't handle context length"),
            sign("maximum sequence length", r"exceeds.{0,40}kv.?cache|kv.?cache.{0,60}maximum sequence length"),
            sign("insufficient memory for kv cache"),
            sign("the available memory for kv cache", r"negative|zero|not enough|insufficient"),
            # TensorRT-LLM's kvCacheManager.cpp.
            sign("impossible to fit in any sequence"), sign("component could not be created", r"created: (?!Model$|Draft model)"), sign("must be large enough to process at least 1 sequence"),
            sign("not enough gpu memory for kv cache"),
            sign("no memory left for kv cache"), sign("memory for the kv cache", r"\b(?:no|not enough|insufficient) (?:\w+ ){0,2}memory for the kv cache"),
            sign("gpu memory", r"(?:insufficient|not enough).{0,40}gpu memory.{0,60}(?:kv|cache|context)"),
        ),
    ),
    Failure(
        # TGI up to 1.1 raised this from whatever broke the warm-up (flash_causal_lm.py caught every Exception): what
        # it was raised from is the cause. On its own it means memory.
        WRAPS_ANYTHING, "GPU_OOM_KV_CACHE", ROOT, 0.95,
        "The warm-up failed: there is not enough GPU memory for the requested batch of tokens.",
        "Lower max_total_tokens and max_input_tokens, or use a GPU with more memory.",
        (sign("not enough memory to handle", r"not enough memory to handle (?:at least )?[\d`]"),),
    ),
    Failure(
        "kv_pool_empty", "GPU_OOM_KV_CACHE", ROOT, 0.93,
        "After the weights were loaded, no memory was left for the KV cache pool.",
        "Lower max_total_tokens and max_concurrent_requests, or use a GPU with more memory.",
        (
            sign("not enough memory. please try to increase --mem-fraction-static"),
            sign("not enought memory"),
            sign("please try to increase --mem-fraction-static"),
            sign("capture cuda graph failed", r"out of memory|OutOfMemory"),
            sign("when warming up sampler", r"out of memory"),
            # SGLang prints the same four pieces of advice, mem-fraction-static first, whatever broke the capture.
            sign("mem-fraction-static", r"(?:not enough|out of) memory"),
        ),
    ),
    Failure(
        "gpu_memory_taken", "GPU_OOM_KV_CACHE", ROOT, 0.9,
        "Less GPU memory is free at start than the share the engine was told to use.",
        "Lower the GPU memory share, or make sure no other process holds memory on the GPU.",
        (
            sign("free memory on device", r"less than desired gpu memory utilization|is less than"),
            sign("memory capacity is unbalanced", r"Error"), sign("error in memory profiling", r"initial free memory|free memory"),
        ),
    ),
    Failure(
        "weights_do_not_fit", "GPU_OOM_WEIGHTS", ROOT, 0.95,
        "The weights do not fit into the GPU memory.",
        "Use more GPUs or larger ones, or quantised weights.",
        (
            sign("not enough gpu memory", r"failed to load model|load (?:the )?model|for weights|model weights"),
            sign("failed to load model - not enough gpu memory"),
            sign("insufficient gpu memory", r"load|weights|model"),
            sign("too large for the current device"),
            sign("nrt_tensor_allocate", r"Allocation Failure|status=4"),
            sign("component could not be created", r"created: (?:Model$|Draft model)"), sign("memory limit set for", r"exceeded, model loading is rejected"),
            sign("some modules are dispatched on the cpu or the disk"),
            sign("model weights", r"(?:do(?:es)? not|cannot|can't|don't) fit (?:in|into|on).{0,30}(?:gpu|memory|device)"),
        ),
    ),
    Failure(
        "gpu_out_of_memory", "GPU_OOM_WEIGHTS", SPECIFIC + 5, 0.8,
        "The GPU ran out of memory.",
        "Weights: use more or larger GPUs, or quantised weights. Afterwards: lower max_total_tokens and max_concurrent_requests.",
        (
            sign("out of memory", r"(?:CUDA|HIP|NPU|XPU|GPU|hpu)\b.{0,40}out of memory", r"if out.of.memory|if you are running out|please ignore|reclaim|falling back"),
            sign("outofmemoryerror", None, r"java\.lang|ray\.exceptions|If OutOfMemoryError|Java heap|OnOutOfMemoryError"),
            sign("cudaerrormemoryallocation"), sign("allocation on device", r"would exceed allowed memory"),
            # The allocator asks NVML only when it tells how much was in use, that is, when there was not enough.
            sign("nvml_success == r", r"CUDACachingAllocator"),
            sign("cuda_error_out_of_memory"),
            sign("cublas_status_alloc_failed"),
            sign("cudamalloc", r"failed|out of memory"), sign("outofmemory (requested size"), sign("requested amount of gpu memory", r"could not be allocated"),
            sign("failed to allocate memory", r"cuda|gpu|device|requested (?:size|buffer)"),
            sign("resource_exhausted", r"(?:hbm|device|tpu|gpu|neuron|allocat)"),
            sign("allocation failure", r"nrt|neuron|hbm|device"),
            sign("failed to allocate", r"HBM|device memory|GPU memory|cuda|bytes on DEVICE"), sign("failed to alloc device memory"),
        ),
        decide=weights_or_budget,
    ),
    Failure(
        "memory_reserved", "HOST_OOM", SPECIFIC, 0.86,
        "The model needs more memory than is free before it is loaded.",
        "Use an instance type with more memory, or lower required_memory_mb and reserved_memory_mb if they ask too much.",
        (sign("no enough memory to load the model"),),
        decide=host_or_gpu,
    ),
    Failure(
        "host_memory", "HOST_OOM", SPECIFIC, 0.92,
        "The machine ran out of memory (not the GPU).",
        "Use an instance type with more RAM, or a checkpoint that needs no conversion to safetensors.",
        (
            sign("oomkilled"),
            sign("oom-kill"),
            sign("out of memory: kill"),
            sign("ping failed due to insufficient memory"),
            sign("cannot allocate memory", None, r"TLS block|static tls"),
            sign("std::bad_alloc"), sign("system out of memory"),
            sign("defaultcpuallocator", r"can't allocate|not enough memory"),
            sign("memoryerror", r"(?:^|[\s:])MemoryError\b"),
            sign("java.lang.outofmemoryerror"),
            sign("killed due to memory pressure"),
            sign("running low on memory", r"killed|ray"),
            sign("memory cgroup out of memory"),
            sign("not enough host memory"), sign("is less than desired cpu memory utilization"),
            sign("ray.exceptions.outofmemoryerror"),
        ),
    ),
    Failure(
        "killed_by_the_system", "HOST_OOM", WEAK + 5, 0.86,
        "The process was killed from outside (signal 9) without an error of its own: the host ran out of memory.",
        "Use an instance type with more RAM, or a checkpoint that needs no conversion to safetensors.",
        (
            sign("signal 9"), sign("signal: 9"), sign("sigkill", None, r"sending SIGKILL|after \S+ SIGKILL|root causes|common cause|If exit code"),
            sign("exit code 137"), sign("exitcode 137"), sign("exit code: 137"), sign("exit status 137"),
            sign("status 137"), sign("code 137"), sign("exitcode: -9"), sign("exitcode -9"), sign("exit code 9", r"exit code 9\b"), sign("exitcode=-9"), sign("exit code -9"),
            sign("exit code: -9"), sign("exitcode : -9"), sign("(-9)", r"exit|signal|killed"),
            sign("died with <signals.sigkill: 9>"),
        ),
        at_any_level=True,
    ),
    Failure(
        "killed", "HOST_OOM", WEAK - 15, 0.62,
        "The process was killed without an error of its own, most likely because the host ran out of memory.",
        "Use an instance type with more RAM.",
        (sign("killed", r"(?:^|line \d+:\s+\d+ |\s)Killed(?:$|\s+(?:python|vllm|text-gen|serve|/)|\s*\(core dumped\))"),),
    ),
    Failure(
        "disk_full", "DISK_FULL", ROOT, 0.96,
        "The disk is full.",
        "Use a larger volume on EBS-only types, or an instance type with a larger local disk, and cache on it.",
        (
            sign("no space left on device", None, r"/dev/shm|shared memory key"),
            sign("os error 28"), sign("errno 28", None, r"/dev/shm"), sign("storagefull"), sign("enospc"),
            sign("code: 28,", r"StorageFull|os|kind"),
            sign("disk quota exceeded"),
            sign("not enough disk space"),
            sign("insufficient disk space"),
            sign("there is not enough space on the disk"),
            sign("ephemeral", r"usage.{0,60}exceeds|low on resource: ephemeral-storage"),
            sign("diskpressure"),
        ),
        at_any_level=True,
    ),
    Failure(
        "disk_nearly_full", "DISK_FULL", FRAMES - 8, 0.75,
        "The file is larger than the free disk space.",
        "Use a larger volume on EBS-only types, or an instance type with a larger local disk.",
        signs("not enough free disk space to download"),
        at_any_level=False,
    ),
)  # fmt: skip
