"""Everything that crosses a state boundary, in the order it comes to be.

DeploymentRequest (the wish) → Plan (the decision) → Endpoint (the thing) → Observation (one look at it)
→ Diagnosis (cause, evidence, remedy) → Outcome (the news). All are frozen: a later step makes a new record.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator


class Record(BaseModel):
    """A frozen record that refuses fields it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def as_json(self) -> dict[str, Any]:
        """The record as plain JSON values, as it travels through Step Functions."""
        return self.model_dump(mode="json")


# --- DeploymentRequest -----------------------------------------------------------------------------------------------

Server = Literal["vllm", "tgi", "lmi", "sglang"]
EndpointName = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$")]
InstanceType = Annotated[str, StringConstraints(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$")]
# ProductionVariant.*TimeoutInSeconds: 60–3600 (SageMaker API reference).
Window = Annotated[int, Field(ge=60, le=3600)]
RepairKind = Literal["timeouts", "tokens", "image", "volume", "instance", "quantization"]


class ModelSource(Record):
    """Where the weights come from: the hub, S3 (with what architecture they are), or a registered model package."""

    hub_id: Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$", max_length=140)] | None = Field(
        None, description="A Hugging Face repository such as meta-llama/Meta-Llama-3-8B-Instruct."
    )
    revision: str | None = Field(None, max_length=100, description="A branch, tag or commit of the repository.")
    s3_uri: Annotated[str, StringConstraints(pattern=r"^s3://[a-z0-9.-]{3,63}/.*$")] | None = Field(
        None, description="The S3 prefix that holds staged weights, such as s3://bucket/llama-3-8b/."
    )
    config: dict[str, Any] | None = Field(None, description="A Hugging Face config.json, for weights in S3.")
    model_package_arn: (
        Annotated[str, StringConstraints(pattern=r"^arn:aws[\w-]*:sagemaker:.+:model-package/.+$")] | None
    ) = Field(None, description="The ARN of an approved model package version.")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if self.model_package_arn and (self.s3_uri or self.hub_id):
            raise ValueError("give either model_package_arn, or s3_uri (with hub_id or config), or hub_id")
        if self.s3_uri and not (self.hub_id or self.config):
            raise ValueError("weights in S3 need hub_id or config, so that their architecture is known")
        if not (self.model_package_arn or self.s3_uri or self.hub_id):
            raise ValueError("one of hub_id, s3_uri or model_package_arn is needed")
        return self


class SmokeTestRequest(Record):
    """What to ask the endpoint before it is called deployed."""

    prompt: str = Field("Say hello.", min_length=1, max_length=4000, description="One short user message.")


class UpdateRequest(Record):
    """How a live endpoint is moved to the new configuration."""

    strategy: Literal["all_at_once", "canary", "linear", "rolling"] = Field(
        "all_at_once", description="Blue/green all at once, canary or linear, or rolling."
    )
    # AutoRollbackConfiguration.Alarms holds at most 10 (SageMaker API reference).
    alarms: tuple[str, ...] = Field((), max_length=10, description="CloudWatch alarm names that roll the update back.")


class RepairRequest(Record):
    """How many repairs may be tried without asking, and of which kinds."""

    max_attempts: int = Field(1, ge=0, le=5, description="Repairs after the first attempt; 0 turns repair off.")
    allow: tuple[RepairKind, ...] = Field(
        ("timeouts", "tokens", "image", "volume"),
        description="Kinds of change that may be made unasked; instance and quantization cost money or quality.",
    )


class OnFailureRequest(Record):
    """What happens to a failed endpoint."""

    keep_endpoint: bool = Field(False, description="Leave the failed endpoint in place, to look at it.")


class RedeployRequest(Record):
    """When a live endpoint is deployed again unasked; both cost instance time, so neither is assumed."""

    every_days: float | None = Field(
        None, ge=1, le=365, description="Again after so many days, when the newest image makes another plan."
    )
    after_failure: bool = Field(False, description="Again when SageMaker calls the live endpoint failed, once a day.")


class DeploymentRequest(Record):
    """The wish: which model, on what, within which limits. Every field but `model` has a default."""

    endpoint_name: EndpointName | None = Field(None, description="Letters, digits and hyphens, at most 63.")
    model: ModelSource = Field(description="The weights: hub_id, s3_uri with hub_id or config, or model_package_arn.")
    server: Literal["auto"] | Server = Field("auto", description="auto, vllm, tgi, lmi or sglang.")
    server_version: str | None = Field(None, max_length=40, description="A released version; newest if left out.")
    image_uri: str | None = Field(None, max_length=255, description="An image of your own instead of the catalogue's.")
    instance_type: Literal["auto"] | InstanceType = Field("auto", description="auto, or a type such as ml.g5.2xlarge.")
    # InstancePools holds at most five types, the first choice included (SageMaker API reference).
    fallback_instance_types: tuple[InstanceType, ...] = Field(
        (), max_length=4, description="Other acceptable types, tried in order when capacity is short."
    )
    instance_count: int = Field(1, ge=1, le=100, description="Instances behind the endpoint.")
    max_input_tokens: int | None = Field(None, ge=1, description="Longest prompt in tokens.")
    max_total_tokens: int | None = Field(None, ge=2, description="Longest prompt and answer together, in tokens.")
    max_concurrent_requests: int | None = Field(None, ge=1, le=4096, description="Sequences served at the same time.")
    quantization: str | None = Field(None, max_length=40, description="awq, gptq, fp8, bitsandbytes and the like.")
    hf_token_secret: str | None = Field(
        None, max_length=512, description="Name of the secret that holds the hub token."
    )
    execution_role_arn: Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/.+$")] | None = (
        Field(None, description="The role SageMaker assumes for the container; the stack's own if left out.")
    )
    health_check_timeout_seconds: Window | None = Field(None, description="Start-up window, 60 to 3600 s.")
    download_timeout_seconds: Window | None = Field(None, description="Model data download window, 60 to 3600 s.")
    volume_size_gb: int | None = Field(None, ge=1, le=512, description="EBS volume, 1 to 512 GB, EBS-only types.")
    environment: dict[str, str] = Field(default_factory=dict, description="Container environment; never a secret.")
    tags: dict[str, str] = Field(default_factory=dict, max_length=40, description="Tags for what is created.")
    smoke_test: SmokeTestRequest = Field(SmokeTestRequest(), description="The request sent before success is claimed.")
    update: UpdateRequest = Field(UpdateRequest(), description="How a live endpoint is updated.")
    repair: RepairRequest = Field(RepairRequest(), description="What may be repaired unasked.")
    on_failure: OnFailureRequest = Field(OnFailureRequest(), description="What happens to a failed endpoint.")
    redeploy: RedeployRequest = Field(RedeployRequest(), description="When it is deployed again unasked.")
    force: bool = Field(False, description="Turn refusals into warnings, at your own risk.")
    request_id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,128}$")] | None = Field(
        None, description="Your own id: the same id twice is one deployment."
    )
    ttl_hours: float | None = Field(None, gt=0, le=8760, description="The endpoint's lease; the sweeper ends it after.")
    max_cost_usd: float | None = Field(None, gt=0, description="The most this deployment may cost in the worst case.")


# --- Plan ------------------------------------------------------------------------------------------------------------


class Finding(Record):
    """One thing Validate noticed: what, about which field, and what to do about it."""

    severity: Literal["error", "warning", "info"]
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]+$")]
    field: str
    message: str
    fix: str
    source: str = ""


class MemoryBudget(Record):
    """Where one GPU's memory goes, in GiB; None where it is not known."""

    gpu_total_gib: float | None
    weights_gib: float | None
    overhead_gib: float | None
    kv_cache_gib: float | None
    kv_cache_tokens: int | None
    max_total_tokens_supported: int | None


class LoadTime(Record):
    """How long the container is expected to take from start to ready, in seconds."""

    low: int
    likely: int
    high: int


class InstancePool(Record):
    """One acceptable instance type with the environment proved for it."""

    instance_type: str
    priority: int
    tensor_parallel_degree: int
    environment: dict[str, str]
    memory: MemoryBudget


class Plan(Record):
    """The decision: exactly what will be created."""

    server: Server
    server_version: str | None
    image_uri: str
    instance_type: str
    instance_pools: tuple[InstancePool, ...] | None
    tensor_parallel_degree: int
    environment: dict[str, str]
    health_check_timeout_seconds: int
    download_timeout_seconds: int
    volume_size_gb: int | None
    inference_ami_version: str | None
    memory: MemoryBudget
    predicted_load_seconds: LoadTime | None
    cost_per_hour_usd: float | None


class Planning(Record):
    """The planner's answer: whether the request is accepted, why, and the plan if there is one."""

    accepted: bool
    findings: tuple[Finding, ...]
    plan: Plan | None


# --- Endpoint --------------------------------------------------------------------------------------------------------


class Endpoint(Record):
    """What this deployment made on SageMaker, and what it found there."""

    endpoint_name: str
    endpoint_arn: str
    endpoint_config_name: str
    model_names: tuple[str, ...]
    variant_name: str
    created: bool = Field(description="True: this deployment created the endpoint. False: it updates a live one.")
    previous_config_name: str | None = None
    log_group: str
    started_at: datetime = Field(description="SageMaker's own time; log lines before it belong to someone else.")


class Provisioned(Record):
    """Provision's answer: an endpoint under way, a refusal in SageMaker's words, or a name that is not free yet."""

    endpoint: Endpoint | None
    refusal: str | None = None
    wait_seconds: int | None = None
    waiting_for: str | None = None


# --- Observation -----------------------------------------------------------------------------------------------------

Phase = Literal[
    "queued", "provision", "image", "download", "load", "compile", "warm_up", "ready", "smoke_test", "diagnose",
    "clean_up", "done",
]  # fmt: skip
# DescribeEndpoint's EndpointStatus, and Deleted for an endpoint that is no longer there.
EndpointStatus = Literal[
    "OutOfService", "Creating", "Updating", "SystemUpdating", "RollingBack", "InService", "Deleting", "Failed",
    "UpdateRollbackFailed", "Deleted",
]  # fmt: skip


class Watch(Record):
    """What Poll must remember from one look to the next; bounded, so that state stays small."""

    log_cursor_ms: int = 0
    seen_event_ids: tuple[str, ...] = ()
    lines_read: int = 0
    phase: Phase = "provision"
    phase_since: datetime | None = None
    progress: float | None = None
    banner: str | None = None
    banner_count: int = 0
    container_since: datetime | None = Field(None, description="The first container's first line; restarts keep it.")
    last_line_at: datetime | None = Field(None, description="The newest line of an instance that is being started.")
    starting: dict[str, bool] = Field({}, description="Of an update: by log stream, whether its instance is started.")
    tail: tuple[str, ...] = Field((), description="The most telling lines so far, at most 40.")
    losing: Diagnosis | None = None


class Observation(Record):
    """One look at the endpoint: what SageMaker says, how far the container is, and when to look again."""

    at: datetime
    status: EndpointStatus
    verdict: Literal["going_on", "losing", "in_service", "failed", "rolled_back", "out_of_time", "gone"]
    failure_reason: str | None
    phase: Phase
    progress: float | None
    ready_estimate_at: datetime | None = None
    window_ends_at: datetime | None = None
    stalled: str | None = None
    announce: bool = Field(False, description="True exactly once: at the look that proved the start is lost.")
    wait_seconds: int
    watch: Watch


class Settled(Record):
    """Settle's answer: what is no longer needed and went, and when the endpoint's new lease ends."""

    removed: tuple[str, ...]
    lease_ends_at: datetime | None = None


class SmokeTested(Record):
    """SmokeTest's answer: what was asked, what came back, and whether it is a real answer."""

    passed: bool
    answer: str | None
    problem: str | None = None


# --- Diagnosis -------------------------------------------------------------------------------------------------------

Cause = Literal[
    "STARTUP_TIMEOUT", "MODEL_DOWNLOAD_FAILED", "GATED_OR_AUTH", "MODEL_NOT_FOUND", "DISK_FULL", "GPU_OOM_WEIGHTS",
    "GPU_OOM_KV_CACHE", "HOST_OOM", "UNSUPPORTED_ARCHITECTURE", "UNSUPPORTED_GPU", "SHARDING_ERROR", "INVALID_ARGUMENT",
    "QUANTIZATION_ERROR", "TOKENIZER_ERROR", "MISSING_DEPENDENCY", "BAD_CONTAINER", "IMAGE_PULL", "CAPACITY", "QUOTA",
    "IAM", "CORRUPT_WEIGHTS", "INVALID_REQUEST_CONFIG", "COMPILE_ERROR", "NETWORK_VPC", "CRASH_UNKNOWN", "HEALTHY",
    "LOADING", "UNKNOWN",
]  # fmt: skip


class Remedy(Record):
    """A concrete change to the request; `automatic` says it may be applied unasked where `allow` is granted."""

    automatic: bool
    allow: RepairKind | None
    changes: dict[str, Any]
    explanation: str


class Diagnosis(Record):
    """Why it failed, what proves it, and the change that fixes it; UNKNOWN when it abstains.

    Evidence is lines of the log and SageMaker's reason, word for word; what CloudWatch measured begins with CloudWatch.
    """

    cause: Cause
    confidence: float = Field(ge=0, le=1)
    summary: str
    evidence: tuple[str, ...]
    remedy: Remedy | None


class Diagnosed(Record):
    """Diagnose's answer: the diagnosis, and the repaired request when one more attempt is allowed and worth it.

    `look_again_seconds` says that log and metrics are not all there yet, and the diagnosis is not the last word.
    """

    diagnosis: Diagnosis
    repaired_request: DeploymentRequest | None
    look_again_seconds: int | None = None


class CleanedUp(Record):
    """CleanUp's answer: whether all is gone, what is left, and how long to wait before the next try."""

    done: bool
    removed: tuple[str, ...]
    remaining: tuple[str, ...]
    wait_seconds: int


class TakenOver(Record):
    """TakeOver's answer: how far a deployment had come, or `wait_seconds` while a function is still at work on it.

    `ended` is one that had its outcome already, `answered` one that only has to be settled.
    """

    wait_seconds: int | None
    ended: bool = False
    answered: bool = False
    status: Literal["DEPLOYED", "NOT_DEPLOYED", "REFUSED"] = "NOT_DEPLOYED"
    request: DeploymentRequest | None = None
    attempt: int = 1
    plan: Plan | None = None
    endpoint: Endpoint | None = None
    diagnosis: Diagnosis | None = None


# --- Outcome ---------------------------------------------------------------------------------------------------------

Status = Literal["IN_PROGRESS", "LOSING", "DEPLOYED", "NOT_DEPLOYED", "REFUSED"]
# A deployment with one of these has not ended.
RUNNING: tuple[Status, ...] = ("IN_PROGRESS", "LOSING")


class Attempt(Record):
    """One try: the plan, what came of it, and what was changed for the next."""

    number: int
    plan: Plan | None
    diagnosis: Diagnosis | None
    changes: dict[str, Any] = Field(default_factory=dict)


class TimelineEntry(Record):
    """One thing that happened, when, and in which phase."""

    at: datetime
    phase: Phase
    detail: str


class LedgerEntry(Record):
    """One attempt's instance time; `usd` is None where the price is not known or nothing was started."""

    number: int
    instance_hours: float
    usd: float | None


class Ledger(Record):
    """What a deployment cost until now at list price in us-east-1: an estimate, never a bill."""

    estimate: Literal[True] = True
    attempts: tuple[LedgerEntry, ...]
    instance_hours: float
    state_transitions: int
    orchestration_usd: float
    total_usd: float | None


class Outcome(Record):
    """Where a deployment stands, or how it ended: what `GET /deployments/{id}` answers and SNS carries."""

    deployment_id: str
    endpoint_name: str
    status: Status
    phase: Phase
    progress: float | None
    plan: Plan | None
    diagnosis: Diagnosis | None
    attempts: tuple[Attempt, ...]
    timeline: tuple[TimelineEntry, ...]
    cost_usd: float | None
    links: dict[str, str]
    findings: tuple[Finding, ...] = Field((), description="What Validate noticed in the latest attempt.")
    ledger: Ledger | None = Field(None, description="Hours and money by attempt and in total, an estimate.")


Watch.model_rebuild()
