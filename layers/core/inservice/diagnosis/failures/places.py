"""Where an exception without telling words was raised, and which cause that place speaks for."""

# ruff: noqa: E501 - the places are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

import re

from inservice.contracts import Cause

_ANY = re.compile("")
# A name or a type that is wrong is a defect or a setting, wherever it is met.
_NO_DEFECT = re.compile(r"^(?!.*(?:Type|Attribute|Name|Key)Error)")
# Libraries that compile kernels when they are asked for check first whether they have one.
_NO_REFUSAL = re.compile(r"^(?!.*(?:not supported|unsupported|only supports?)\b)", re.IGNORECASE)
# vLLM inspects a model in a process of its own; what that one raised is quoted below (models/registry.py).
_NOT_OF_A_SUBPROCESS = re.compile(r"^(?!.*(?:CalledProcessError|raised in subprocess))")
# Checks of settings raise these; other kinds raised in the same files are defects.
_REFUSED = re.compile(r"(?:Value|NotImplemented|Assertion|Validation)Error|ArgumentError|KeyError: .{0,4}invalid")
_REFUSED_IN_WORDS = re.compile(r"(?:Value|NotImplemented)Error: \w")
# What an attention backend lacks, unless it is a setting of the operator's.
_LACKING = re.compile(
    r"^(?!.*(?:kv.?cache|dtype|specul|cuda.?graph|--\w)).*(?:Value|NotImplemented)Error: \w", re.IGNORECASE
)
# A model class of another release asks its configuration for what is not there.
_NOT_THERE = re.compile(
    r"(?:Key|Attribute)Error|TypeError: .{0,120}(?:unexpected keyword|operand type.{0,60}'NoneType')"
)
# A bare check of the model's own configuration: the message is the source line above the exception.
_ASSERTS_CONFIG = re.compile(r"\bassert .{0,80}\bconfig\..{0,300}AssertionError")
_ASSERTS_QUANTISED = re.compile(r"\bassert .{0,80}\bquant_?(?:method|config)\b.{0,300}AssertionError")
# Files that may not be read or written say nothing about what is in them.
_NOT_OF_THE_SYSTEM = re.compile(r"^(?!.*(?:Permission|OS|BrokenPipe|Interrupted|Timeout)Error)")
# A device that failed says nothing about the file that was being read.
_OF_THE_DEVICE = re.compile(
    r"(?:CUDA|HIP|XPU|NPU) (?:driver |runtime )?(?:API )?(?:error|failure)|CUBLAS|CUDNN|INTERNAL ASSERT FAILED|report a bug to PyTorch",
    re.IGNORECASE,
)
# vLLM's processes name themselves before every line.
_PROCESS = re.compile(r"\(\w[^)]{0,60}pid=\d+\) ")
_CHECKS_ITSELF = 2
_PACKAGES = re.compile(r'File "?[^"]{0,400}/(?:site|dist)-packages/')

# A frame, the kind of exception it counts for, and what the two speak for. Innermost frame first, first row first.
_FRAMES: tuple[tuple[str, re.Pattern[str], Cause], ...] = (
    (r"torch/_inductor|torch/_dynamo|triton/(?:compiler|backends|runtime)|cpp_extension|xla_extension|torch_neuronx", _ANY, "COMPILE_ERROR"),
    (r"(?:flashinfer|deep_gemm|aiter)/jit", _NO_REFUSAL, "COMPILE_ERROR"),
    (r"quantization/|/quantize|gptq|awq|bitsandbytes/|compressed_tensors", _ANY, "QUANTIZATION_ERROR"),
    (r"\.py\", line \d+", _ASSERTS_QUANTISED, "QUANTIZATION_ERROR"),
    (r"custom_all_reduce|pynccl|parallel_state|distributed_c10d|device_communicators|torch/distributed|deep_?ep\b", _NO_DEFECT, "SHARDING_ERROR"),
    (r"argparse\.py|cli_args\.py|pydantic/|parser/utils", _ANY, "INVALID_ARGUMENT"),
    (r"(?:arg_utils|server_args|arg_groups/\w+|vllm/config(?:/\w+)?|configs/model_config|attention/selector|encoder_cache_manager|serving_models|lora/\w+|speculative/\w+|properties_manager/\w+)\.py", _REFUSED, "INVALID_ARGUMENT"),
    (r"(?:model_executor|srt|text_generation_server)/models/(?:custom_modeling/)?\w+\.py\", line \d+, in __init__", _REFUSED_IN_WORDS, "UNSUPPORTED_ARCHITECTURE"),
    (r"(?:model_executor|srt)/models/\w+\.py\", line \d+, in __init__", _ASSERTS_CONFIG, "UNSUPPORTED_ARCHITECTURE"),
    # The model asks for what the backend lacks, or its own configuration contradicts itself.
    (r"/attention/(?:backends/)?(?:\w+/)?\w+\.py\", line \d+, in __init__", _LACKING, "UNSUPPORTED_ARCHITECTURE"),
    (r"transformers_utils/(?:configs|processors)/\w+\.py|srt/configs/(?!model_config|load_config|device_config)\w+\.py", _REFUSED, "UNSUPPORTED_ARCHITECTURE"),
    (r"model_loader/\w+_loader\.py\", line \d+, in (?:__init__|_\w*valid\w*)", _REFUSED, "INVALID_ARGUMENT"),
    (r"tokeniz(?:er|ation)(?!_manager)|sentencepiece/", _ANY, "TOKENIZER_ERROR"),
    (r"transformers/(?:models/auto|configuration_utils|modeling_rope)|models/registry\.py", _NOT_OF_A_SUBPROCESS, "UNSUPPORTED_ARCHITECTURE"),
    (r"(?:model_executor|srt|custom_modeling|text_generation_server)/(?:models/)?(?:custom_modeling/)?\w+\.py\", line \d+, in (?:__init__|get_layer|<lambda>|<listcomp>|make_layers)", _NOT_THERE, "UNSUPPORTED_ARCHITECTURE"),
    (r"rotary\w*(?:/\w+)?\.py", _NOT_THERE, "UNSUPPORTED_ARCHITECTURE"),
    (r"\bload_weights|weight_utils|safetensors/", _NOT_OF_THE_SYSTEM, "CORRUPT_WEIGHTS"),
)  # fmt: skip
_PLACES = tuple((re.compile(frame), kind, cause) for frame, kind, cause in _FRAMES)


def place(before: list[str], line: str) -> Cause | None:
    """The cause the innermost frames of a traceback speak for."""
    told = f"{before[-1][:300]} {line}" if before else line
    # The folders above a package are people's own, and may be called anything.
    frames = [
        _PACKAGES.sub('File "', text)
        for text in _own_traceback(before[-40:], line)
        if 'File "' in text or "File(" in text
    ][-6:]
    for depth, frame in enumerate(reversed(frames)):
        for pattern, kind, cause in _PLACES:
            # Settings are checked where they are kept; what a check calls, such as the model's own code, fails on its own.
            if depth > _CHECKS_ITSELF and cause == "INVALID_ARGUMENT":
                continue
            if pattern.search(frame) and kind.search(told):
                return cause if cause == "COMPILE_ERROR" or not _OF_THE_DEVICE.search(line) else None
    return None


def _own_traceback(lines: list[str], line: str) -> list[str]:
    """The lines since the last traceback began, of this line's process: a wrapper's frames are not its cause's."""
    began = max((number for number, text in enumerate(lines) if "Traceback (most recent" in text), default=0)
    process = _PROCESS.match(line)
    return [text for text in lines[began:] if not process or text.startswith(process[0])]
