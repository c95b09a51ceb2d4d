"""Token limits that fit, and the pools of acceptable instance types."""

from __future__ import annotations

from dataclasses import replace

from inservice.contracts import DeploymentRequest, Finding, InstancePool, MemoryBudget
from inservice.planning.environment import Serving, environment
from inservice.planning.memory import Load, budget, default_batch, default_utilisation
from inservice.planning.tables import Image, Instance, Model, instance

# Without a wish, a request may be this long: what most chat clients send, and what small GPUs hold.
_USUAL_TOTAL = 8192


def token_limits(
    request: DeploymentRequest, known: Model | None, machine: Instance, image: Image, tp: int
) -> tuple[int, int, tuple[Finding, ...]]:
    """(max_total_tokens, max_input_tokens, findings): the user's, or the longest that fits up to the usual."""
    longest = known.max_positions if known else _USUAL_TOTAL
    total = request.max_total_tokens or min(longest, _USUAL_TOTAL, _most(request, known, machine, image, tp))
    inputs = request.max_input_tokens or max(1, total * 3 // 4)
    findings: tuple[Finding, ...] = ()
    if inputs >= total:
        findings += (Finding(
            severity="error", code="TOKENS_CONTRADICT", field="max_input_tokens",
            message=f"A prompt of {inputs} tokens leaves no room for an answer within {total}.",
            fix=f"Set max_input_tokens below {total}, or max_total_tokens above {inputs}.",
        ),)  # fmt: skip
    if known and total > known.max_positions:
        findings += (Finding(
            severity="error", code="TOKENS_OVER_MODEL", field="max_total_tokens",
            message=f"{known.name} was made for {known.max_positions} tokens; {total} are asked for.",
            fix=f"Set max_total_tokens to at most {known.max_positions}.",
        ),)  # fmt: skip
    return total, inputs, findings


def _most(request: DeploymentRequest, known: Model | None, machine: Instance, image: Image, tp: int) -> int:
    """The longest request the cache holds, with a tenth left over; the usual length where that is not known."""
    found = _budget(request, known, machine, image, tp, 1024)
    return max(1024, int(found * 0.9) // 256 * 256) if found else _USUAL_TOTAL


def _budget(
    request: DeploymentRequest, known: Model | None, machine: Instance, image: Image, tp: int, length: int
) -> int | None:
    if known is None:
        return None
    seqs, batched = default_batch(machine.gpu_gib, a100=machine.gpu == "A100")
    load = Load(
        image.server, "0.30.0", tp, length, request.max_concurrent_requests or seqs, batched,
        default_utilisation(image.server, image.version), request.quantization or known.quantization,
    )  # fmt: skip
    found = budget(known, machine.gpu_gib, load)
    return found.kv_tokens if found else None


def pools_for(
    request: DeploymentRequest, known: Model | None, image: Image, serving: Serving, first: str
) -> tuple[tuple[InstancePool, ...] | None, tuple[Finding, ...]]:
    """The first choice and every fallback that fits, each with its own environment; None without fallbacks."""
    from inservice.planning.choice import degree

    if not request.fallback_instance_types:
        return None, ()
    pools: list[InstancePool] = []
    findings: list[Finding] = []
    names = dict.fromkeys((first, *request.fallback_instance_types))
    for name in names:
        machine = instance(name)
        tokens = None
        if machine:
            tp = degree(known, machine, request)
            tokens = _budget(request, known, machine, image, tp, serving.max_total_tokens)
        if machine is None or (tokens is not None and tokens < serving.max_total_tokens):
            findings.append(_left_out(name, machine is None))
            continue
        if machine and (machine.nvme_gb > 0) != (instance(first).nvme_gb > 0):  # type: ignore[union-attr]
            # One VolumeSizeInGB holds for all pools; NVMe types refuse it, and the others need it.
            findings.append(_later(name))
            continue
        variables, _ = environment(request, replace(serving, tp=tp))
        room = MemoryBudget(
            gpu_total_gib=machine.gpu_gib, weights_gib=None, overhead_gib=None, kv_cache_gib=None,
            kv_cache_tokens=tokens, max_total_tokens_supported=tokens,
        )  # fmt: skip
        pools.append(
            InstancePool(
                instance_type=name,
                priority=len(pools) + 1,
                tensor_parallel_degree=tp,
                environment=variables,
                memory=room,
            )
        )
    return (tuple(pools) if len(pools) > 1 else None), tuple(findings)


def _later(name: str) -> Finding:
    return Finding(
        severity="info", code="FALLBACK_LATER", field="fallback_instance_types",
        message=f"{name} has another kind of disk, so it cannot share a pool; it is tried in an attempt of its own.",
        fix="",
    )  # fmt: skip


def _left_out(name: str, unknown: bool) -> Finding:
    why = "is no GPU type SageMaker hosts on" if unknown else "does not hold the model with these token limits"
    return Finding(
        severity="warning", code="FALLBACK_LEFT_OUT", field="fallback_instance_types",
        message=f"{name} {why}; it was left out.", fix="Remove it, or choose a larger type.",
    )  # fmt: skip
