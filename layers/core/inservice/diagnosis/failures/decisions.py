"""What the lines around a failure decide about it, where the failure's own line leaves the cause open."""

from __future__ import annotations

import re

from inservice.diagnosis.failures.refusals import refused

# Fields of a checkpoint's own quantisation section (compressed-tensors, GPTQ, AWQ), which no operator sets.
_QUANTISED = re.compile(
    r"(?:scale|zp)_dtype|num_bits|group_size|act_?order|quant|weight_block|zero_point|codebook", re.IGNORECASE
)
_FRAME = re.compile(r'File "([^"]+)", line \d+')
_SERVERS_OWN = re.compile(
    r"\b(?:vllm|sglang|text_generation_server|djl_python|lmi|tritonserver|site-packages|dist-packages)\b"
)
_REASON = re.compile(
    r"/dev/shm|shared memory|peer|socket|connect|timed? ?out|bootstrap|interface|NET/|ncclSystemError|ncclRemoteError|"
    r"duplicate GPU|ncclInvalidUsage|topology|different NCCL|version mismatch|NVLS|fabric|\bIB\b",
    re.IGNORECASE,
)  # fmt: skip
# SGLang's models/registry.py imports each model's module, and only tells of those that fail.
_IGNORED = re.compile(r"Ignore import error when loading sglang\.srt\.models\.(?P<module>\w+)[.:] ?(?P<reason>.*)")
# TGI's first releases read weights in the model's own class, where grouped heads were unknown to it (flash_llama.py).
_READS_WEIGHTS = re.compile(
    r"File (?!.*text_generation_server).*\b(?:load_weights|\w*weight_loader|load_\w*weights?)\b"
)
_COMPILER = re.compile(r"Command '?\[.{0,80}\b(?:gcc|g\+\+|cc|clang|nvcc)\b")


def setting_refused(before: list[str], line: str) -> str | None:
    """The cause a refused setting speaks for: by the words of the check, else by the name of the field."""
    said = refused(line)
    if said:
        return said
    return "QUANTIZATION_ERROR" if "[type=" in line and _QUANTISED.search(" ".join(before[-1:])) else None


def capture_refused(before: list[str], line: str) -> str | None:
    """What SGLang's "Capture cuda graph failed" wraps, where that refuses something."""
    _, _, wrapped = line.partition("graph failed: ")
    return refused(f"ValueError: {wrapped}")


def whose_source(before: list[str], line: str) -> str | None:
    """A model's own code and text that was evaluated are no fault of the image."""
    frames = [found[1] for text in before[-12:] if (found := _FRAME.search(text))]
    own = frames and not frames[-1].startswith("<") and "transformers_modules" not in frames[-1]
    return None if own and _SERVERS_OWN.search(" ".join(frames)) else "CRASH_UNKNOWN"


def whose_sizes(before: list[str], line: str) -> str | None:
    """Tensors that differ in size while weights are read do so in the checkpoint, later in the model's code."""
    return "CORRUPT_WEIGHTS" if any(_READS_WEIGHTS.search(text) for text in before[-30:]) else None


def reason_of_silence(before: list[str], line: str) -> str | None:
    """NCCL's "unhandled cuda error" alone says that a GPU failed, not that GPUs could not talk."""
    if not re.search(r"unhandled cuda error|ncclUnhandledCudaError", line):
        return None
    told = [text for text in [*before[-40:], line] if "NCCL INFO" not in text]
    return None if _REASON.search(" ".join(told)) else "CRASH_UNKNOWN"


def why_no_flash_attention(before: list[str], line: str) -> str | None:
    """TGI warns first why it does without Flash Attention: a package is missing, or the GPU is too old for it."""
    if "flash attention enabled models" not in line.lower():
        return None
    warned = [text for text in before if "Could not import Flash Attention" in text]
    return "MISSING_DEPENDENCY" if warned and "No module named" in warned[-1] else None


def why_not_registered(before: list[str], line: str) -> str | None:
    """SGLang passes over a model's module that cannot be imported, and then does not know the model."""
    asked = re.search(r"\['([a-z]+)", line, re.IGNORECASE)
    ignored = (_IGNORED.search(text) for text in before)
    reasons = [found["reason"] for found in ignored if found and asked and _same_family(found["module"], asked[1])]
    if not reasons:
        return None
    return "COMPILE_ERROR" if _COMPILER.search(reasons[-1]) else "MISSING_DEPENDENCY"


def _same_family(module: str, architecture: str) -> bool:
    family = re.match(r"[a-z]+", module)
    return bool(family and architecture.lower().startswith(family[0]))


def why_not_valid(before: list[str], line: str) -> str | None:
    """vLLM lists after "not valid for this configuration" what an attention backend lacks (platforms/cuda.py)."""
    _, _, reasons = line.partition("not valid for this configuration")
    if not reasons or "compute capability" in reasons:
        return None
    return "INVALID_ARGUMENT" if re.search(r"kv_cache_dtype|block_size", reasons) else None
