"""Lines that are no cause by themselves: echoes, quoted code, advice, warnings, and exceptions that were survived."""

# ruff: noqa: E501 - the patterns are data: lists whose rows would only get harder to read if wrapped.

from __future__ import annotations

import re

from inservice.diagnosis.reading.log import Log, said_in
from inservice.diagnosis.reading.messages import headless

# Servers echo their arguments; words in them are settings, not events.
_ECHO = re.compile(r"\bArgs \{|Namespace\(|ServerArgs\(|non-default args|engine args:|with config: ", re.IGNORECASE)
# Announced and then ignored: SGLang's MLIR message, Ray's shutdown, PyTorch's reminders.
_HARMLESS = re.compile(
    r"can be ignored|can safely be ignored|please ignore|process group has NOT been destroyed|Could not import Mamba|Token file not found|"
    r"client socket cannot be retrieved|detoken(?:izer)? init state: init ok|If out-of-memory error occurs|Exception ignored in|"
    r"Ignore import error|Error while downloading from https?://|will be ignored|[Ff]alling back to|[Rr]etrying|[Tt]imeout (?:is )?set to|"
    # What follows a CUDA error in the same message (c10/cuda/CUDAMiscFunctions.cpp), and vLLM's try-out of a template.
    r"CUDA_LAUNCH_BLOCKING|TORCH_USE_CUDA_DSA|Chat template warmup failed|"
    # Ray goes on without its dashboard (services.py), TorchServe without metrics of the GPU, GPUStack without a length.
    r"Failed to start the dashboard|Failed to derive max model length|metrics\.MetricCollector - |"
    r"will be recompiled|If you are running out of memory|resource_tracker|leaked \w+ objects|"
    # Triton serves without pinned memory, whatever kept it from having any (core's pinned_memory_manager.cc).
    r"(?:failed|unable) to allocate pinned system memory|"
    # So does it without a stream for an ensemble, on a machine without a GPU (ensemble_scheduler.cc).
    r"unable to create stream for \S+: no CUDA-capable|"
    # Its metrics ask for NVML by themselves and do without; the driver's tools spell the sentence otherwise.
    r"^\s*Error: Failed to initialize NVML\s*$|DCGM unable to start|"
    # Optional kernels and counts that vLLM does without (import_utils.py; transformers_utils/config.py), JAX's probes.
    r"Failed to import Triton kernels|Error retrieving safetensors|Unable to initialize backend|nvidia-smi: (?:command )?not found",
    re.IGNORECASE,
)

# A sentence that tells what the server does instead, or when its news is no news: SGLang's lines carry no level, and
# Ray, transformers and vLLM's pynccl_wrapper.py speak of errors they go on from. An exception before it was not survived.
_INSTEAD = re.compile(
    r"^(?:(?!\w(?:Error|Exception): ).)*?(?:\b(?:[Ss]kipping|[Cc]ontinuing|Truncating|[Dd]efaulting to|Assuming \w+ inference)\b|[;,—] (?:keeping|disabling|treating|using default)\b|"
    r"\b[Ww]e will (?:skip|default|override)|\bwill (?:not be (?:applied|exported)|be attempted instead)|\bnot applied\b|\bfusion disabled\b|"
    r"\b(?:expected|normal) if you|\bnormal if your|[Tt]o (?:silence|remove) th(?:is|e) warning|, use NVRTC|for (?:auto|template)[ -]detection|valid Python identifier|numa node number|"
    r"need this plugin|Loading \w+ \w+ instead)"
)

# What an unlabelled line says when it tells of a failure and not of a better way to do things.
_SPEAKS_OF_FAILURE = re.compile(
    r"\w(?:Error|Exception)\b|\b(?:error|fatal|failed|failure|cannot|can't|could not|unable|refus|denied|abort|invalid|unsupported|traceback)|"
    r"\bnot (?:\w+ )?(?:supported|found|compatible|allowed|permitted|valid)|\bmust\b|\braise\b|\bassert",
    re.IGNORECASE,
)
# Python prints a warning as its text, which may have several lines, and then the source line that gave it.
_WARNING_BEGINS = re.compile(r"Warning: ")
_NEXT_RECORD = re.compile(
    r"\b(?:DEBUG|INFO|WARN(?:ING)?|ERROR|CRITICAL|FATAL)\b|Traceback|File \"|(?:Error|Exception)\b|\bwarn(?:_once|ing)?\(|\d\d:\d\d:\d\d"
)
_LONGEST_WARNING = 6
# Text Embeddings Inference tries ONNX Runtime, Candle and Python in turn (backends/src/lib.rs).
_OF_SEVERAL = re.compile(r"Could not start \w+ backend: ")
# A log handler's own failure is printed below the exception it was to print (logging.Handler.handleError).
_OF_THE_HANDLER, _HANDLED_NEXT = "--- Logging error ---", "During handling of the above exception"
# What Python prints before the traceback of an exception that it could not raise (sys.unraisablehook, logging.raiseExceptions).
_GOES_ON = re.compile(rf"Exception ignored (?:in|on)|{_OF_THE_HANDLER}|Chat template warmup failed")
# TensorRT-LLM's second way to make a model, and TorchServe's collector of metrics, say so on the traceback's first line.
_GOES_ON_HERE = re.compile(r"[Ff]all(?:ing )?back to|MetricCollector - ")
_LONGEST_TRACEBACK = 60

# Told as an error by a function whose caller then asks for another kernel (vLLM's fa_utils.py), and by
# transformers' pipelines of a model that is newer than their list (pipelines/base.py).
_REMARK = re.compile(r"Cannot use FA version|is not supported for \S+\. Supported models are")
# SGLang's lines carry no level; what ends it is raised, and printed as a traceback.
_BY_SGLANG = re.compile(
    r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: [A-Z]+\d+)*\] (?!.{0,400}(?:\w(?:Error|Exception)\b|Traceback))"
)

_LEVEL_OF_ERROR = re.compile(r"\b(?:ERROR|CRITICAL|FATAL)\b")


def no_cause(log: Log, number: int, *, any_level: bool) -> bool:
    """Whether a line tells of no failure whatever words it holds."""
    line = log.lines[number]
    echoed = not any_level and _ECHO.search(line[:400])
    survived = _HARMLESS.search(line[:3000]) or _INSTEAD.search(line[:3000])
    return bool(echoed or survived or _is_code(line) or _unraised(log, number))


def remark(line: str) -> bool:
    """Whether a line that does not call itself a warning is one."""
    return bool(_REMARK.search(line[:400]) or (_BY_SGLANG.match(line) and not _LEVEL_OF_ERROR.search(line[:60])))


def speaks_of_failure(line: str) -> bool:
    """Whether a line without a level tells of a failure, and not of a better way to do things."""
    return bool(_SPEAKS_OF_FAILURE.search(line[:3000]) or _LEVEL_OF_ERROR.search(line[:200]))


def tries_another(line: str) -> bool:
    """Whether a line tells of one way to start that failed, of several that are tried in turn."""
    return bool(_OF_SEVERAL.search(line[:400]))


def _unraised(log: Log, number: int) -> bool:
    """Whether a line belongs to a traceback that Python printed and went on from: a finaliser's, a log handler's."""
    for earlier in range(number - 1, max(-1, number - _LONGEST_TRACEBACK), -1):
        line = headless(said_in(log.lines[earlier][:400]))
        if "Traceback (most recent" in line:
            before = log.lines[max(0, earlier - 1) : earlier]
            if any(_OF_THE_HANDLER in text for text in before) and _is_handled_next(log, number):
                return False
            return bool(_GOES_ON_HERE.search(line)) or any(_GOES_ON.search(text) for text in before)
        if not line.startswith(" "):
            return False
    return False


def _is_handled_next(log: Log, number: int) -> bool:
    """Whether the exception at this line is the one that was being told of when telling failed."""
    return any(_HANDLED_NEXT in line for line in log.lines[number + 1 : number + 4])


def of_a_warning(log: Log, number: int) -> bool:
    """Whether a line is the second or a later one of a Python warning's text."""
    for earlier in range(number, max(-1, number - _LONGEST_WARNING), -1):
        line = log.lines[earlier][:2000]
        if earlier < number and _WARNING_BEGINS.search(line):
            return True
        # The source line that gave the warning, which Python indents, is its last.
        if _NEXT_RECORD.search(line) or (earlier < number and line.startswith("  ")):
            return False
    return False


def _is_code(line: str) -> bool:
    """A source line quoted in a traceback: the raise statement, not the message."""
    said = line.strip()
    return bool(re.search(r"(?:^|\s|\]\s?)raise \w+(?:\.\w+)*\($|(?:\s|^)raise \w*(?:Error|Exception)\(\s*f?[\"']?[^\"']*[\"']?$|(?:\s|^)raise \w*(?:Error|Exception)\(f[\"'][^\"']*\{[^\"']*[\"']\)$", said[-300:]) or
                re.search(r"^\s*(?:from \S+ import |import |def |except )", said_in(said)))  # fmt: skip
