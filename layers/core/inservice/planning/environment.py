"""The container's environment: the right names for the chosen server and version, and the user's own on top.

Names per server: TGI's launcher options, the vLLM and SGLang images' `SM_VLLM_*` / `SM_SGLANG_*` (each becomes the
server's flag of that name), DJL's `OPTION_*`.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from inservice.contracts import DeploymentRequest, Finding
from inservice.planning.tables import parsed

# Caches go where the big disk is mounted; the root volume of a container is small.
_CACHE = "/tmp/hf"
_MOST, _LONGEST, _ALL_BYTES = 100, 1024, 32 * 1024
_TOKEN_NAMES = {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACEHUB_API_TOKEN", "HF_API_TOKEN"}
_TOKEN = re.compile(r"\bhf_[A-Za-z0-9]{20,}\b")
# A misspelt one kills the server at start (unknown flag). Not complete, so only a near miss is called a mistake.
_FLAGS = {
    "SM_VLLM_": (
        "MODEL", "REVISION", "TENSOR_PARALLEL_SIZE", "PIPELINE_PARALLEL_SIZE", "DTYPE", "QUANTIZATION", "MAX_MODEL_LEN",
        "MAX_NUM_SEQS", "MAX_NUM_BATCHED_TOKENS", "GPU_MEMORY_UTILIZATION", "KV_CACHE_DTYPE", "ENFORCE_EAGER",
        "TRUST_REMOTE_CODE", "SERVED_MODEL_NAME", "ENABLE_PREFIX_CACHING", "ENABLE_CHUNKED_PREFILL", "CHAT_TEMPLATE",
        "TOKENIZER", "TOKENIZER_MODE", "LOAD_FORMAT", "ENABLE_AUTO_TOOL_CHOICE", "TOOL_CALL_PARSER", "REASONING_PARSER",
        "SEED", "SWAP_SPACE", "ENABLE_LORA", "MAX_LORA_RANK", "LIMIT_MM_PER_PROMPT", "KV_CACHE_MEMORY_BYTES",
        "DOWNLOAD_DIR", "DATA_PARALLEL_SIZE", "ENABLE_EXPERT_PARALLEL", "GENERATION_CONFIG",
    ),
    "SM_SGLANG_": (
        "MODEL_PATH", "REVISION", "TP", "DTYPE", "QUANTIZATION", "CONTEXT_LENGTH", "MAX_RUNNING_REQUESTS",
        "MEM_FRACTION_STATIC", "CHUNKED_PREFILL_SIZE", "KV_CACHE_DTYPE", "DISABLE_CUDA_GRAPH", "TRUST_REMOTE_CODE",
        "MAX_TOTAL_TOKENS", "SERVED_MODEL_NAME", "TOKENIZER_PATH", "LOAD_FORMAT", "CHAT_TEMPLATE",
    ),
}  # fmt: skip

# What each server calls the longest request, in tokens.
TOTAL_TOKENS = ("MAX_TOTAL_TOKENS", "SM_VLLM_MAX_MODEL_LEN", "SM_SGLANG_CONTEXT_LENGTH", "OPTION_MAX_MODEL_LEN")


@dataclass(frozen=True)
class Serving:
    """What the environment must say."""

    server: str
    version: str
    tp: int
    max_input_tokens: int
    max_total_tokens: int
    max_concurrent: int | None
    dtype: str | None
    quantization: str | None


def token_variables(server: str, version: str | None) -> tuple[str, ...]:
    """The names under which the server reads the hub token: TGI before 2.2 knows only the old one."""
    if server != "tgi":
        return ("HF_TOKEN",)
    if version is None:
        # An image of the user's own: nobody knows which name it reads, and the other one does no harm.
        return ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    return ("HUGGING_FACE_HUB_TOKEN",) if parsed(version) < (2, 2) else ("HF_TOKEN",)


def environment(request: DeploymentRequest, serving: Serving) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """The whole environment without any token, and a finding for each of the user's variables not taken as it is."""
    ours = {"tgi": _tgi, "vllm": _vllm, "lmi": _lmi, "sglang": _sglang}[serving.server](request, serving)
    findings: list[Finding] = []
    for name, value in request.environment.items():
        problem = _problem(name, value, ours, serving)
        if problem is None:
            ours[name] = value
        else:
            findings.append(problem)
            if problem.code == "UNKNOWN_FLAG":
                ours[name] = value
    return ours, (*findings, *_sizes(ours))


def _sizes(variables: dict[str, str]) -> tuple[Finding, ...]:
    """SageMaker's limits on a container's environment, which CreateModel would refuse (its API reference)."""
    long = sorted(name for name, value in variables.items() if max(len(name), len(value.encode())) > _LONGEST)
    total = sum(len(name.encode()) + len(value.encode()) for name, value in variables.items())
    if not long and len(variables) <= _MOST and total <= _ALL_BYTES:
        return ()
    what = f"{', '.join(long[:3])} is too long" if long else f"{len(variables)} variables of {total} bytes are too many"
    return (
        Finding(
            severity="error", code="ENVIRONMENT_TOO_LARGE", field="environment",
            message=f"SageMaker takes {_MOST} variables of {_LONGEST} bytes, {_ALL_BYTES} in all: {what}.",
            fix="Shorten or remove variables, or put them into a file in the model's folder.",
        ),
    )  # fmt: skip


def _source(request: DeploymentRequest) -> str:
    return request.model.hub_id if request.model.hub_id and not request.model.s3_uri else "/opt/ml/model"


def _tgi(request: DeploymentRequest, serving: Serving) -> dict[str, str]:
    # MAX_INPUT_LENGTH was renamed, and is still read, in TGI 2; both at once is an error.
    longest = "MAX_INPUT_TOKENS" if parsed(serving.version) >= (3,) else "MAX_INPUT_LENGTH"
    found = {
        "HF_MODEL_ID": _source(request),
        "SM_NUM_GPUS": str(serving.tp),
        longest: str(serving.max_input_tokens),
        "MAX_TOTAL_TOKENS": str(serving.max_total_tokens),
        "MAX_BATCH_PREFILL_TOKENS": str(max(4096, serving.max_input_tokens)),
        "HUGGINGFACE_HUB_CACHE": _CACHE,
    }
    if (1, 4) <= parsed(serving.version) <= (2, 3, 1):
        found["MESSAGES_API_ENABLED"] = "true"
    return found | _chosen(
        HF_MODEL_REVISION=request.model.revision,
        DTYPE=serving.dtype,
        HF_MODEL_QUANTIZE=serving.quantization,
        MAX_CONCURRENT_REQUESTS=serving.max_concurrent,
    )


def _vllm(request: DeploymentRequest, serving: Serving) -> dict[str, str]:
    return {
        "SM_VLLM_MODEL": _source(request),
        "SM_VLLM_TENSOR_PARALLEL_SIZE": str(serving.tp),
        "SM_VLLM_MAX_MODEL_LEN": str(serving.max_total_tokens),
        "HF_HOME": _CACHE,
    } | _chosen(
        SM_VLLM_REVISION=request.model.revision,
        SM_VLLM_DTYPE=serving.dtype,
        SM_VLLM_QUANTIZATION=serving.quantization,
        SM_VLLM_MAX_NUM_SEQS=serving.max_concurrent,
    )


def _lmi(request: DeploymentRequest, serving: Serving) -> dict[str, str]:
    return {
        "HF_MODEL_ID": _source(request),
        "OPTION_TENSOR_PARALLEL_DEGREE": str(serving.tp),
        "OPTION_MAX_MODEL_LEN": str(serving.max_total_tokens),
        # LMI's documented default is fp16, which overflows for models trained in bf16.
        "OPTION_DTYPE": serving.dtype or "auto",
        "HF_HOME": _CACHE,
    } | _chosen(
        HF_REVISION=request.model.revision,
        OPTION_QUANTIZE=serving.quantization if serving.quantization not in ("awq", "gptq") else None,
        OPTION_MAX_ROLLING_BATCH_SIZE=serving.max_concurrent,
    )


def _sglang(request: DeploymentRequest, serving: Serving) -> dict[str, str]:
    return {
        "SM_SGLANG_MODEL_PATH": _source(request),
        "SM_SGLANG_TP": str(serving.tp),
        "SM_SGLANG_CONTEXT_LENGTH": str(serving.max_total_tokens),
        "HF_HOME": _CACHE,
    } | _chosen(
        SM_SGLANG_REVISION=request.model.revision,
        SM_SGLANG_DTYPE=serving.dtype,
        SM_SGLANG_QUANTIZATION=serving.quantization,
        SM_SGLANG_MAX_RUNNING_REQUESTS=serving.max_concurrent,
    )


def number_in(environment: dict[str, str], names: tuple[str, ...]) -> int | None:
    """The first of these variables that holds a whole number; None where none does."""
    return next((int(environment[name]) for name in names if environment.get(name, "").isdigit()), None)


def _chosen(**values: object) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _problem(name: str, value: str, ours: dict[str, str], serving: Serving) -> Finding | None:
    field = f"environment.{name}"
    if name in _TOKEN_NAMES or _TOKEN.search(value):
        return Finding(
            severity="error", code="TOKEN_IN_ENVIRONMENT", field=field, message="A token is no part of a request.",
            fix="Put it into Secrets Manager, name the secret in hf_token_secret, and revoke this token.",
        )  # fmt: skip
    if name == "HF_TASK":
        return _dropped(field, "HF_TASK is read by none of these servers; it was left out.")
    if name == "MESSAGES_API_ENABLED" and "MESSAGES_API_ENABLED" not in ours:
        return _dropped(field, "MESSAGES_API_ENABLED means something to TGI 1.4.0 to 2.3.1 only; it was left out. "
                        "This server answers chat messages by itself.")  # fmt: skip
    if name in ("MAX_INPUT_LENGTH", "MAX_INPUT_TOKENS") and serving.server == "tgi" and name not in ours:
        return _dropped(field, "MAX_INPUT_LENGTH and MAX_INPUT_TOKENS together are an error; max_input_tokens says it.")
    if name in ours and ours[name] != value:
        return Finding(
            severity="warning", code="ENVIRONMENT_CONFLICT", field=field,
            message=f"The plan sets {name} to {ours[name]}; your {value} was left out.",
            fix="Use the request's own field for it, or remove the variable.",
        )  # fmt: skip
    return _misspelt(name, field)


def _misspelt(name: str, field: str) -> Finding | None:
    for prefix, flags in _FLAGS.items():
        if not name.startswith(prefix) or name.removeprefix(prefix) in flags:
            continue
        near = difflib.get_close_matches(name.removeprefix(prefix), flags, 1, 0.8)
        guess = f" Did you mean {prefix}{near[0]}?" if near else ""
        return Finding(
            severity="error" if near else "warning", code="UNKNOWN_FLAG", field=field,
            message=f"{name} becomes a flag of the server; an unknown flag ends it at start.{guess}",
            fix=f"Use {prefix}{near[0]}." if near else "Check the name against the server's own --help.",
        )  # fmt: skip
    return None


def _dropped(field: str, message: str) -> Finding:
    return Finding(
        severity="warning", code="ENVIRONMENT_WITHOUT_EFFECT", field=field, message=message, fix="Remove it."
    )
