"""Planning: from a request to the plan that will work, or to every reason why none does. Pure; no I/O."""

from __future__ import annotations

from typing import Any

from inservice.contracts import DeploymentRequest, Finding, MemoryBudget, Plan, Planning
from inservice.planning import checks
from inservice.planning.choice import Chosen, choose, degree
from inservice.planning.cost import hourly_usd
from inservice.planning.environment import Serving, environment
from inservice.planning.load_time import download_seconds, predict, window
from inservice.planning.memory import Budget, Load, budget, default_batch, default_utilisation, weights_gib
from inservice.planning.packages import cuda_of, recognised, with_contents
from inservice.planning.reading import read_request
from inservice.planning.sizing import pools_for, token_limits
from inservice.planning.tables import Model, image_uri, model, model_from_config
from inservice.ports import Lookups

# Refused whatever `force` says: SageMaker's API would refuse it anyway, or a secret would be exposed.
_NEVER_FORCED = {
    "ENVIRONMENT_TOO_LARGE",
    "INVALID_FIELD",
    "TOKEN_IN_ENVIRONMENT",
    "INSTANCE_TYPE_UNKNOWN",
    "IMAGE_NOT_IN_REGION",
    "NO_PLAN",
}


def plan_document(document: Any, *, lookups: Lookups | None = None, region: str = "us-east-1") -> Planning:
    """Plans any JSON value; mistakes in it and problems with the rest come back together. Never raises."""
    request, mistakes = read_request(document)
    if request is None:
        return Planning(accepted=False, findings=mistakes, plan=None)
    planned = plan_request(request, lookups=lookups, region=region)
    if not mistakes:
        return planned
    return Planning(accepted=False, findings=(*mistakes, *planned.findings), plan=planned.plan)


def plan_request(
    request: DeploymentRequest, *, lookups: Lookups | None = None, region: str = "us-east-1", attempt: int = 1
) -> Planning:
    """Plans one request with what is known of the world; a repair's budget holds one attempt, as it was checked."""
    asked = lookups or Lookups()
    request = with_contents(request, asked.package)
    known = _model(request, asked)
    chosen, findings = choose(request, known, region)
    findings += checks.world(request, asked, known)
    plan = None
    if chosen is not None:
        plan, more = _plan(request, known, chosen, region)
        findings += more + checks.cost(request, plan, 1 + request.repair.max_attempts if attempt == 1 else 1)
    findings = _forced(findings) if request.force else findings
    accepted = plan is not None and not any(finding.severity == "error" for finding in findings)
    return Planning(accepted=accepted, findings=findings, plan=plan)


def _model(request: DeploymentRequest, asked: Lookups) -> Model | None:
    source = request.model
    if source.config:
        return model_from_config(source.hub_id or source.s3_uri or "model", source.config, None)
    found = model(source.hub_id) if source.hub_id else None
    if found is None and asked.hub and asked.hub.config:
        return model_from_config(source.hub_id or "model", asked.hub.config, asked.hub.weight_bytes)
    return found


def _plan(
    request: DeploymentRequest, known: Model | None, chosen: Chosen, region: str
) -> tuple[Plan, tuple[Finding, ...]]:
    image, instance = chosen.image, chosen.instance
    version = image.version
    tp = degree(known, instance, request)
    total, inputs, tokens = token_limits(request, known, instance, image, tp)
    quantization = request.quantization
    dtype = "float16" if instance.compute_capability < 8.0 and (known is None or known.dtype == "bfloat16") else None
    serving = Serving(image.server, version, tp, inputs, total, request.max_concurrent_requests, dtype, quantization)
    variables, found = environment(request, serving)
    findings = chosen.findings + tokens + found
    room = memory_of(known, chosen, request, tp, total)
    certain = not request.image_uri or recognised(request.image_uri) is not None
    cuda = image.cuda if certain else cuda_of(request.image_uri or "")
    findings += checks.hardware(request, instance, cuda)
    findings += checks.memory(request, known, room, instance, tp, total)
    weights = weights_gib(known, quantization) if known else None
    gigabytes = (known.weights_gib if known and known.weights_gib else weights or 0) * 1.0737
    load = None
    if gigabytes:
        load = predict(
            gigabytes, instance, image.server, from_s3=bool(request.model.s3_uri), quantization=quantization, tp=tp
        )
    health = request.health_check_timeout_seconds or (window(load.high) if load else 1800)
    findings += checks.window(request, load)
    volume, disk = checks.volume(request, instance, gigabytes)
    findings += disk
    pools, more = pools_for(request, known, image, serving, instance.name)
    findings += more
    copy = download_seconds(gigabytes, instance) if gigabytes and request.model.s3_uri else 0
    uri = request.image_uri or image_uri(image, region) or ""
    plan = Plan(
        server=image.server,  # type: ignore[arg-type]
        server_version=version if certain else None,
        image_uri=uri,
        instance_type=instance.name,
        instance_pools=pools,
        tensor_parallel_degree=tp,
        environment=variables,
        health_check_timeout_seconds=health,
        download_timeout_seconds=request.download_timeout_seconds or window(max(copy, 480)),
        volume_size_gb=volume,
        inference_ami_version=ami(cuda),
        memory=told(room, instance.gpu_gib),
        predicted_load_seconds=load,
        cost_per_hour_usd=hourly_usd(instance.name, request.instance_count),
    )
    return plan, findings


def memory_of(known: Model | None, chosen: Chosen, request: DeploymentRequest, tp: int, total: int) -> Budget | None:
    """The memory of one GPU of the chosen instance under the request; None where the model is not known."""
    if known is None:
        return None
    instance, image = chosen.instance, chosen.image
    seqs, batched = default_batch(instance.gpu_gib, a100=instance.gpu == "A100")
    if image.server == "tgi":
        batched = max(4096, request.max_input_tokens or total // 2)
    load = Load(
        server=image.server,
        version=image.version if image.server == "vllm" else "0.30.0",
        tp=tp,
        max_model_len=total,
        max_num_seqs=request.max_concurrent_requests or seqs,
        max_num_batched_tokens=batched,
        utilisation=default_utilisation(image.server, image.version),
        quantization=request.quantization or known.quantization,
    )
    return budget(known, instance.gpu_gib, load)


def told(room: Budget | None, gpu_gib: float) -> MemoryBudget:
    """The budget as the plan says it."""
    if room is None:
        return MemoryBudget(
            gpu_total_gib=gpu_gib, weights_gib=None, overhead_gib=None, kv_cache_gib=None, kv_cache_tokens=None,
            max_total_tokens_supported=None,
        )  # fmt: skip
    return MemoryBudget(
        gpu_total_gib=gpu_gib,
        weights_gib=room.weights,
        overhead_gib=room.overhead,
        kv_cache_gib=max(0.0, room.kv_gib),
        kv_cache_tokens=room.kv_tokens,
        max_total_tokens_supported=room.kv_tokens,
    )


def ami(cuda: str | None) -> str | None:
    """The host AMI for an image's CUDA: a mismatch in either direction fails without a line of log.

    AWS Deep Learning Containers' tests pair CUDA 12 with the 550 driver's AMI and CUDA 13 with the 580 driver's.
    """
    if cuda is None:
        return None
    return "al2023-ami-sagemaker-inference-gpu-4-1" if cuda.startswith("13") else "al2-ami-sagemaker-inference-gpu-3-1"


def _forced(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    return tuple(
        finding.model_copy(update={"severity": "warning"})
        if finding.severity == "error" and finding.code not in _NEVER_FORCED
        else finding
        for finding in findings
    )
