"""Lines a healthy start prints: which phase they show, and how far it is."""

# ruff: noqa: E501 - the signs are data: a table whose rows would only get harder to read if wrapped.

from __future__ import annotations

import re
from dataclasses import dataclass

from inservice.contracts import Phase

# Each mark: a literal searched first, a pattern if the literal alone is too common, and the phase it shows.
_MARKS: tuple[tuple[str, str | None, Phase], ...] = (
    # vLLM and SGLang serve through uvicorn, which binds only after the engine has loaded.
    ("application startup complete", None, "ready"),
    ("uvicorn running on", None, "ready"),
    # Its start-up hooks run after this line, and may fail.
    ("started server process", None, "warm_up"),
    ("the server is fired up and ready to roll", None, "ready"),
    # TGI's router says Connected once the shards answered the warm-up; older ones bind first and say so.
    ("connected", r"text_generation_router(?:\S*): (?:router/src/\S+ )?Connected", "ready"),
    ("starting webserver", r"text_generation_launcher: Starting Webserver", "warm_up"),
    ("setting max batch total tokens to", None, "ready"),
    # Triton's three services start after every model is READY.
    ("started grpcinferenceservice", None, "ready"),
    ("started httpservice", None, "ready"),
    ("starting httpservice at", None, "ready"),
    # SageMaker's door opens when the models are loaded as well (sagemaker_server.cc).
    ("sagemaker request:", None, "ready"),
    # DJL Serving binds after loading the models named at start; TorchServe and MMS bind before their workers load.
    ("both api bind to:", None, "ready"),
    ("model server started.", None, "load"),
    # TorchServe and MMS answer pings (ACCESS_LOG) before their workers have a model; the workers' state tells.
    ("/ping http/1", r'^(?!.*ACCESS_LOG).*"?(?:GET|POST) /ping HTTP/1\.\d"?\s+200', "ready"),
    ("worker_model_loaded", None, "ready"),
    ("backend response time:", None, "ready"),
    # The Hugging Face toolkit loads before it transforms, so whatever a request's traceback tells, the model was there.
    ("self.transform_fn(", None, "ready"),
    ("/health http/1", r'"?GET /health HTTP/1\.\d"?\s+200', "ready"),
    ("listening at: http", None, "ready"),
    ("model loaded successfully", None, "ready"),
    ("text_embeddings_router", r"INFO .{0,40}text_embeddings_router\S*: (?:router/src/\S+ )?Ready$", "ready"),
    # Shown only by an engine that serves: its figures for what it generates, and requests it answered.
    ("avg generation throughput", None, "ready"),
    ("decode batch", r"Decode batch[.,\s\[\]\d]{1,14}#", "ready"),
    ("text_generation_router", r"INFO .{0,2000}text_generation_router\S*: .{0,80}\bSuccess\b", "ready"),
    ("http/1.1", r'"(?:GET|POST) /(?:v1/|generate|invocations)\S* HTTP/1\.1"\s+200', "ready"),
    # Warm-up and compilation.
    ("warming up model", None, "warm_up"),
    ("memory profiling takes", None, "warm_up"),
    ("kv cache size", None, "warm_up"),
    ("kv cache is allocated", None, "warm_up"),
    ("memory pool end", None, "warm_up"),
    ("maximum concurrency for", None, "warm_up"),
    ("available kv cache memory", None, "warm_up"),
    ("# gpu blocks", None, "warm_up"),
    ("# cuda blocks", None, "warm_up"),
    ("init engine (profile", None, "warm_up"),
    ("max_total_num_tokens=", None, "warm_up"),
    ("capturing cudagraph", None, "compile"),
    ("capturing cuda graph", None, "compile"),
    ("capture cuda graph", None, "compile"),
    ("cuda graph capture", None, "compile"),
    ("graph capturing finished", None, "compile"),
    ("capturing batches", None, "compile"),
    ("cuda graphs for batch sizes", None, "compile"),
    ("torch.compile", r"INFO.{0,120}torch\.compile|cache directory: .{0,200}torch\.compile|torch\.compile takes", "compile"),
    ("dynamo bytecode transform time", None, "compile"),
    ("compiling a graph for", None, "compile"),
    ("compiler status pass", None, "compile"),
    # Loading weights into the accelerator.
    ("checkpoint shards:", None, "load"),
    ("loading safetensors", None, "load"),
    ("loading model weights", None, "load"),
    ("starting to load model", None, "load"),
    ("load weight begin", None, "load"),
    ("load weight end", None, "load"),
    ("model loading took", None, "load"),
    ("loading weights took", None, "load"),
    ("loading weights", r"INFO|Loading weights (?:on|from|for)", "load"),
    ("starting model backend", None, "load"),
    ("starting shard", None, "load"),
    ("waiting for shard", None, "load"),
    ("to be ready...", None, "load"),
    ("shard ready in", None, "load"),
    ("init torch distributed begin", None, "load"),
    ("init torch distributed end", None, "load"),
    ("initializing an llm engine", None, "load"),
    ("initializing a v1 llm engine", None, "load"),
    ("using model weights format", None, "load"),
    ("detected system cuda", None, "load"),
    ("loading: ", r"model_lifecycle|loading: \S+:\d+", "load"),
    ("initializing model", r"ModelInfo|WorkLoad|Loading model|initializ", "load"),
    ("loading model", r"INFO|ModelManager|Loading model \S+ ", "load"),
    # Fetching weights.
    ("starting download process", None, "download"),
    ("check and download process", None, "download"),
    ("text_embeddings_core::download", r"INFO", "download"),
    ("download file:", None, "download"),
    ("download: [", None, "download"),
    ("downloading", r"\d+%|Downloading \S+|INFO", "download"),
    ("fetching", r"Fetching \d+ files", "download"),
    ("s5cmd", None, "download"),
    ("successfully downloaded weights", None, "load"),
    ("files are already present on the host", None, "load"),
    # A process that has begun.
    ("text_generation_launcher", r"\bINFO\b", "image"),
    ("text_embeddings_router", r"\bINFO\b", "image"),
    ("worker ready; awaiting tasks", None, "load"),
    ("vllm api server version", None, "image"),
    ("server_args=serverargs(", None, "image"),
    ("text_generation_launcher: args {", None, "image"),
    ("automatically detected platform", None, "image"),
    ("sharding model on", None, "image"),
    ("started engine process with pid", None, "image"),
    ("triton inference server", None, "image"),
    ("starting djl", None, "image"),
    ("mms home:", None, "image"),
    ("torchserve version", None, "image"),
)  # fmt: skip

# Whatever else a server says as information, in its own format, shows a start that goes on.
SPEAKING_MARKS = tuple(
    (literal, re.compile(pattern))
    for literal, pattern in (
        (".py:", r"\b(?:INFO|DEBUG) \d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \[?[\w/.]+\.py:\d+\]"),
        (
            "] ",
            r"^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?: (?:TP|DP|PP|EP|MOE)\d+)*\] (?!.*(?:Error|Exception|error|fail|dead|died|[Kk]ill|abort|exit))",
        ),
        ("[info ]", r"\[INFO ?\] "),
        (".cc:", r"^\W{0,3}I\d{4} \d\d:\d\d:\d\d\.\d+ \d+ \w+\.cc:\d+\]"),
    )
)

# An engine without a server, as in a script: it answered, so it had started. What breaks afterwards still ends it.
ANSWERED_MARKS = tuple(
    (literal, re.compile(pattern))
    for literal, pattern in (
        ("processed prompts", r"Processed prompts:\s+(?:100%|[1-9]\d?%)"),
        ("rendering prompts", r"Rendering prompts:\s+100%"),
        ("adding requests", r"Adding requests:\s+100%"),
        # Triton's table of models, which it prints before it starts its services.
        ("| ready ", r"^\|[^|]+\|[^|]+\| READY\s+\|\s*$"),
        ("supported tasks:", r"\[llm\.py:\d+\] Supported tasks"),
    )
)

# What a serving process prints first, once per start: counted to see restarts.
_BANNERS: tuple[tuple[str, str], ...] = (
    ("vllm api server version", r"vLLM API server version"),
    ("vllm engine args:", r"vLLM engine args:"),
    ("server_args=serverargs(", r"server_args=ServerArgs\("),
    ("text_generation_launcher: args {", r"text_generation_launcher: Args \{"),
    ("triton inference server ===", r"== Triton Inference Server =="),
    ("starting djl", r"Starting djl-?serving"),
    ("mms home:", r"(?:MMS|TS) Home:"),
    ("ts home:", r"(?:MMS|TS) Home:"),
)
_SHARDS = re.compile(r"shards:\s+\d+% (?:Completed )?\|? ?[^|]{0,80}?\|?\s*(\d+)/(\d+)\s*\[([\d:]+)<")
_PERCENT = re.compile(r"(\d{1,3})%(?:\||\s+Completed)")
_DOWNLOADED = re.compile(r"Download: \[(\d+)/(\d+)\]|Fetching \d+ files:.{0,80}?(\d+)/(\d+) \[")


@dataclass(frozen=True)
class Mark:
    """What one line shows about a start."""

    phase: Phase
    progress: float | None = None


@dataclass(frozen=True)
class Shards:
    """How far the weights are: shards done, of how many, after how many seconds."""

    done: int
    total: int
    seconds: int


_COMPILED = tuple(
    (literal, re.compile(pattern, re.IGNORECASE) if pattern else None, phase) for literal, pattern, phase in _MARKS
)
READY_MARKS = tuple((literal, pattern) for literal, pattern, phase in _COMPILED if phase == "ready")
START_MARKS = tuple((literal, pattern) for literal, pattern, phase in _COMPILED if phase != "ready")
LOAD_MARKS = tuple(
    (literal, pattern) for literal, pattern, phase in _COMPILED if phase in ("load", "compile", "warm_up")
)
BANNERS = tuple((literal, re.compile(pattern, re.IGNORECASE)) for literal, pattern in _BANNERS)


def mark_of(line: str) -> Mark | None:
    """The phase a line shows, with its progress from 0 to 1 where the line tells; None for any other line."""
    lowered = line.lower()
    for literal, pattern, phase in _COMPILED:
        if literal in lowered and (pattern is None or pattern.search(line[:2000])):
            return Mark(phase, progress_of(line))
    return None


def banner_of(line: str) -> str | None:
    """The literal of the start banner this line is, if it is one."""
    lowered = line.lower()
    return next((literal for literal, _ in BANNERS if literal in lowered), None)


def shards_of(line: str) -> Shards | None:
    """Checkpoint shards loaded so far, from a tqdm line of vLLM or SGLang."""
    found = _SHARDS.search(line[:600])
    if not found:
        return None
    seconds = 0
    for part in found[3].split(":"):
        seconds = seconds * 60 + int(part or 0)
    return Shards(int(found[1]), int(found[2]), seconds)


def progress_of(line: str) -> float | None:
    """How far a progress line is, from 0 to 1."""
    shards = shards_of(line)
    if shards and shards.total:
        return min(1.0, shards.done / shards.total)
    counted = _DOWNLOADED.search(line[:600])
    if counted:
        done, total = (int(n) for n in counted.groups() if n is not None)
        return min(1.0, done / total) if total else None
    percent = _PERCENT.search(line[:600])
    return min(1.0, int(percent[1]) / 100) if percent else None
