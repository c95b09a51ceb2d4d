"""Outcomes as the state machine would publish them, for the tests of every channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from inservice.contracts import (
    Attempt,
    Diagnosis,
    Finding,
    LoadTime,
    MemoryBudget,
    Outcome,
    Plan,
    Remedy,
    TimelineEntry,
)

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LINKS = {
    "deployment": "https://abc123.execute-api.eu-west-1.amazonaws.com/v1/deployments/dep-1",
    "page": "https://abc123.execute-api.eu-west-1.amazonaws.com/v1/page#id=dep-1",
    "execution": "https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/arn",
    "logs": "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups",
    "endpoint": "https://eu-west-1.console.aws.amazon.com/sagemaker/home?region=eu-west-1#/endpoints/llama-3-8b-chat",
}
PLAN = Plan(
    server="tgi",
    server_version="3.3.6",
    image_uri="763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6",
    instance_type="ml.g5.2xlarge",
    instance_pools=None,
    tensor_parallel_degree=1,
    environment={"HF_MODEL_ID": "meta-llama/Meta-Llama-3-8B-Instruct", "MAX_TOTAL_TOKENS": "4096"},
    health_check_timeout_seconds=900,
    download_timeout_seconds=900,
    volume_size_gb=None,
    inference_ami_version="al2-ami-sagemaker-inference-gpu-3-1",
    memory=MemoryBudget(
        gpu_total_gib=22.3,
        weights_gib=15.0,
        overhead_gib=1.5,
        kv_cache_gib=3.0,
        kv_cache_tokens=24000,
        max_total_tokens_supported=24000,
    ),
    predicted_load_seconds=LoadTime(low=120, likely=210, high=400),
    cost_per_hour_usd=1.515,
)
OUT_OF_MEMORY = Diagnosis(
    cause="GPU_OOM_KV_CACHE",
    confidence=0.97,
    summary="After loading the weights there is no room for the KV cache of 32768 tokens.",
    evidence=(
        "ValueError: The model's max seq len (32768) is larger than the maximum number of tokens in KV cache (12000).",
        "Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.",
        "RuntimeError: Engine core initialization failed.",
        "a fourth line that no message needs",
    ),
    remedy=Remedy(
        automatic=True,
        allow="tokens",
        changes={"max_total_tokens": 12000},
        explanation="Ask for no more tokens than the cache holds.",
    ),
)
REFUSALS = (
    Finding(
        severity="error",
        code="MODEL_TOO_LARGE",
        field="instance_type",
        message="131.4 GiB of weights do not fit 22.3 GiB of GPU memory.",
        fix="Take ml.p4d.24xlarge.",
    ),
    Finding(
        severity="error",
        code="TOKENS_TOO_FEW",
        field="max_total_tokens",
        message="4096 is not more than max_input_tokens (8192).",
        fix="Raise it to 9216.",
    ),
    Finding(
        severity="warning",
        code="VOLUME_NOT_ALLOWED",
        field="volume_size_gb",
        message="SageMaker refuses a volume size on ml.g5.",
        fix="Leave it out.",
    ),
)


def deployed() -> Outcome:
    """It works at the first attempt."""
    return _outcome(
        status="DEPLOYED",
        phase="done",
        progress=1.0,
        attempts=(Attempt(number=1, plan=PLAN, diagnosis=None),),
        cost_usd=0.131,
        timeline=_timeline(
            ("queued", 0), ("provision", 4), ("image", 95), ("load", 140), ("ready", 300), ("done", 311)
        ),
    )


def repaired() -> Outcome:
    """The first attempt is lost, the second one works with fewer tokens."""
    first = Attempt(number=1, plan=PLAN, diagnosis=OUT_OF_MEMORY, changes={"max_total_tokens": 12000})
    return deployed().model_copy(update={"attempts": (first, Attempt(number=2, plan=PLAN, diagnosis=None))})


def losing() -> Outcome:
    """The log proves that the attempt is lost; SageMaker has not said so yet."""
    return _outcome(
        status="LOSING",
        phase="load",
        progress=None,
        diagnosis=OUT_OF_MEMORY,
        cost_usd=0.06,
        timeline=_timeline(("queued", 0), ("provision", 4), ("image", 95), ("load", 130), ("diagnose", 142)),
    )


def not_deployed() -> Outcome:
    """Both attempts failed."""
    second = {**OUT_OF_MEMORY.as_json(), "cause": "HOST_OOM"}
    attempts = (
        Attempt(number=1, plan=PLAN, diagnosis=OUT_OF_MEMORY, changes={"max_total_tokens": 12000}),
        Attempt(number=2, plan=PLAN, diagnosis=Diagnosis.model_validate(second)),
    )
    steps = (("queued", 0), ("provision", 4), ("load", 130), ("diagnose", 142), ("clean_up", 1010), ("provision", 1080),
             ("load", 1200), ("diagnose", 1260), ("clean_up", 2100), ("done", 2160))  # fmt: skip
    return _outcome(
        status="NOT_DEPLOYED",
        phase="done",
        progress=None,
        attempts=attempts,
        diagnosis=OUT_OF_MEMORY,
        cost_usd=0.92,
        timeline=_timeline(*steps),
    )


def lost_early() -> Outcome:
    """The log proved it within minutes; SageMaker said so at the window's end, and the log is coloured."""
    coloured = "\x1b[2m2026-03-02T09:04:36Z\x1b[0m \x1b[31mERROR\x1b[0m Cannot access gated repo"
    gated = OUT_OF_MEMORY.model_copy(update={"cause": "GATED_OR_AUTH", "evidence": (coloured,), "remedy": None})
    steps = (("queued", 0), ("provision", 15), ("image", 276), ("diagnose", 286), ("image", 1177), ("diagnose", 1253),
             ("clean_up", 1326), ("done", 1440))  # fmt: skip
    attempts = (Attempt(number=1, plan=PLAN, diagnosis=gated),)
    return _outcome(status="NOT_DEPLOYED", phase="done", progress=None, attempts=attempts, diagnosis=gated,
                    cost_usd=0.6, timeline=_timeline(*steps))  # fmt: skip


def refused() -> Outcome:
    """The request cannot work, and nothing was created."""
    return _outcome(
        status="REFUSED", phase="done", progress=None, plan=None, cost_usd=0.0, findings=REFUSALS, timeline=()
    )


def in_progress() -> Outcome:
    """Half-way through loading."""
    return _outcome(
        status="IN_PROGRESS",
        phase="load",
        progress=0.5,
        cost_usd=0.05,
        timeline=_timeline(("queued", 0), ("provision", 4), ("image", 95), ("load", 130)),
    )


EVERY_KIND = (deployed, repaired, losing, not_deployed, refused, in_progress)


def _outcome(**fields: Any) -> Outcome:
    story: dict[str, Any] = {
        "deployment_id": "dep-1",
        "endpoint_name": "llama-3-8b-chat",
        "plan": PLAN,
        "diagnosis": None,
        "attempts": (),
        "links": LINKS,
    }
    return Outcome(**{**story, **fields})


def _timeline(*steps: tuple[Any, int]) -> tuple[TimelineEntry, ...]:
    return tuple(TimelineEntry(at=START + timedelta(seconds=at), phase=phase, detail=phase) for phase, at in steps)
