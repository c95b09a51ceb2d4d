"""The words for a cause: a failure's own, or another's where the lines around it decided for another cause."""

from __future__ import annotations

from inservice.contracts import Cause
from inservice.diagnosis.failures import LOG_FAILURES
from inservice.diagnosis.failures.failure import Failure
from inservice.diagnosis.finding.hits import Hit

# Of each cause that can be decided for, the failure whose words hold for it in general.
_IN_GENERAL: dict[Cause, str] = {
    "HOST_OOM": "host_memory", "DISK_FULL": "disk_full", "UNSUPPORTED_ARCHITECTURE": "architecture_hint",
    "UNSUPPORTED_GPU": "gpu_hint", "SHARDING_ERROR": "split_refused", "INVALID_ARGUMENT": "argument_hint",
    "TOKENIZER_ERROR": "tokenizer_hint", "QUANTIZATION_ERROR": "quantisation_hint", "COMPILE_ERROR": "compile_hint",
    "MISSING_DEPENDENCY": "install_advised", "CORRUPT_WEIGHTS": "weights_incomplete", "MODEL_NOT_FOUND": "files_hint",
    "NETWORK_VPC": "hub_unreachable", "MODEL_DOWNLOAD_FAILED": "download_failed", "GATED_OR_AUTH": "gated_model",
    "BAD_CONTAINER": "entry_hint", "CRASH_UNKNOWN": "crash_without_cause",
}  # fmt: skip
_BY_KEY = {failure.key: failure for failure in LOG_FAILURES}
_OUT_OF_GPU_MEMORY = {
    "GPU_OOM_WEIGHTS": "The GPU ran out of memory while the weights were loaded.",
    "GPU_OOM_KV_CACHE": "The weights fit; the GPU ran out of memory for the KV cache or a batch.",
}


def summary_of(hit: Hit) -> str:
    """One sentence on what happened."""
    own = hit.cause == hit.failure.cause and hit.failure.key != "gpu_out_of_memory"
    return hit.failure.says if own else _OUT_OF_GPU_MEMORY.get(hit.cause) or _in_general(hit).says


def cure_of(hit: Hit) -> str:
    """What to do about it."""
    return hit.failure.cure if hit.cause == hit.failure.cause else _in_general(hit).cure


def _in_general(hit: Hit) -> Failure:
    return _BY_KEY[_IN_GENERAL[hit.cause]] if hit.cause in _IN_GENERAL else hit.failure
