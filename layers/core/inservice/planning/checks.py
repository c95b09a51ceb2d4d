"""What else must hold: the world's answers, memory, window, disk, money."""

from __future__ import annotations

from inservice.contracts import DeploymentRequest, Finding, LoadTime, Plan
from inservice.planning.cost import worst_attempt_usd
from inservice.planning.load_time import window as wide_enough
from inservice.planning.memory import Budget
from inservice.planning.tables import Instance, Model
from inservice.ports import Lookups

_GATED = ("meta-llama/", "google/gemma", "mistralai/mistral-large", "mistralai/mistral-7b-instruct-v0.3")
# How far the arithmetic may be off, as a share of the GPU: within it a shortage is a warning, never a refusal.
_DOUBT = 0.03


def world(request: DeploymentRequest, asked: Lookups, known: Model | None) -> tuple[Finding, ...]:
    """What hub, quotas and registry said, and what could not be asked."""
    found: list[Finding] = []
    hub_id = request.model.hub_id or ""
    access = asked.hub.access if asked.hub else None
    if access == "missing":
        found.append(_error("MODEL_NOT_FOUND", "model.hub_id", f"The hub has no {hub_id} at this revision.",
                            "Check the spelling and the revision; a private one needs hf_token_secret."))  # fmt: skip
    if access == "gated":
        found.append(_error("MODEL_GATED", "hf_token_secret", f"{hub_id} is gated; the token has no access.",
                            "Accept its licence with the token's account; name its secret here."))  # fmt: skip
    if (
        access is None
        and hub_id.lower().startswith(_GATED)
        and not request.hf_token_secret
        and not request.model.s3_uri
    ):
        found.append(_error("TOKEN_NEEDED", "hf_token_secret", f"{hub_id} is gated; without a token it cannot be read.",
                            "Name the secret with a token that has access, or stage the weights in S3."))  # fmt: skip
    for kind, quota in asked.quota.items():
        if quota is not None and quota < request.instance_count:
            found.append(_error("QUOTA_TOO_LOW", "instance_count",
                                f"The quota is {quota} {kind} for endpoints; {request.instance_count} are asked for.",
                                f"Raise '{kind} for endpoint usage', or take another type."))  # fmt: skip
    if asked.image_exists is False:
        found.append(
            _error("IMAGE_NOT_FOUND", "image_uri", "The registry has no such image.", "Check repository and tag.")
        )
    for what in asked.unanswered:
        found.append(
            _warning("NOT_LOOKED_UP", "request", f"Could not be looked up: {what}", "The plan goes on without it.")
        )
    if known is None and not request.model.model_package_arn:
        found.append(_warning("MODEL_UNKNOWN", "model", "Nothing is known of this model; memory is not checked.",
                              "Give model.config, or plan where the hub can be reached."))  # fmt: skip
    return tuple(found)


def hardware(request: DeploymentRequest, machine: Instance, cuda: str | None) -> tuple[Finding, ...]:
    """A GPU that the image's CUDA no longer knows: CUDA 13 dropped everything before Turing (its release notes)."""
    if cuda is None or not cuda.startswith("13") or machine.compute_capability >= 7.5:
        return ()
    said = f"The image is built on CUDA {cuda}, which no longer knows the {machine.gpu} of {machine.name}."
    return (_error("GPU_TOO_OLD", "instance_type", said, "Take a newer type such as ml.g5.2xlarge, or server tgi."),)


def memory(
    request: DeploymentRequest, known: Model | None, room: Budget | None, machine: Instance, tp: int, total: int
) -> tuple[Finding, ...]:
    """Whether weights and one request of full length fit into one GPU."""
    if known is None or room is None:
        return ()
    doubt = _DOUBT * room.total
    where = f"{tp} × {machine.gpu} with {room.total:.1f} GiB each"
    if room.kv_gib <= 0:
        said = f"{where} cannot hold {room.weights:.1f} GiB of weights and {room.overhead:.1f} for the server on each."
        make = _error if room.kv_gib < -doubt else _warning
        return (make("WEIGHTS_DO_NOT_FIT", "instance_type", said, "Take a type with more GPU memory, or quantise."),)
    if room.kv_tokens < room.needed_tokens:
        said = f"{total} tokens need more KV cache than is left: about {room.kv_tokens} fit on {where}."
        make = _error if room.kv_tokens < room.needed_tokens * 0.75 else _warning
        fits = max(256, int(room.kv_tokens * 0.9) // 256 * 256)
        return (make("TOKENS_DO_NOT_FIT", "max_total_tokens", said, f"Set max_total_tokens to {fits}."),)
    return ()


def window(request: DeploymentRequest, load: LoadTime | None) -> tuple[Finding, ...]:
    """A user's own start-up window against the predicted load."""
    asked = request.health_check_timeout_seconds
    if asked is None or load is None or asked >= load.high:
        return ()
    said = f"The start is predicted to take {load.low} to {load.high} s, likely {load.likely}; the window is {asked} s."
    fix = f"Set health_check_timeout_seconds to {wide_enough(load.high)}, or leave it out."
    if asked < load.low or asked * 1.5 < load.likely:
        return (_error("WINDOW_TOO_SHORT", "health_check_timeout_seconds", said, fix),)
    return (_warning("WINDOW_TIGHT", "health_check_timeout_seconds", said, fix),) if asked < load.likely * 1.2 else ()


def volume(request: DeploymentRequest, machine: Instance, gigabytes: float) -> tuple[int | None, tuple[Finding, ...]]:
    """(VolumeSizeInGB or None, findings): SageMaker refuses it on NVMe types; 30 GB is its own default elsewhere."""
    needed = int(gigabytes * 1.15) + 20
    if machine.nvme_gb > 0:
        found: tuple[Finding, ...] = ()
        if request.volume_size_gb:
            found += (_warning("VOLUME_NOT_ALLOWED", "volume_size_gb",
                               f"SageMaker refuses VolumeSizeInGB on {machine.name}; it was left out. The type "
                               f"has {machine.nvme_gb:.0f} GB of NVMe.", "Remove volume_size_gb."),)  # fmt: skip
        if gigabytes and machine.nvme_gb < gigabytes * 1.05:
            found += (_error("DISK_TOO_SMALL", "instance_type",
                             f"{gigabytes:.0f} GB of weights; the disk of {machine.name} holds {machine.nvme_gb:.0f}.",
                             "Take a larger type."),)  # fmt: skip
        return None, found
    if request.volume_size_gb is None:
        return min(512, max(30, needed)), ()
    if gigabytes and request.volume_size_gb < gigabytes * 1.05:
        return request.volume_size_gb, (_error("VOLUME_TOO_SMALL", "volume_size_gb",
                                               f"{request.volume_size_gb} GB cannot hold {gigabytes:.0f} GB.",
                                               f"Set volume_size_gb to {min(512, needed)}."),)  # fmt: skip
    return request.volume_size_gb, ()


def cost(request: DeploymentRequest, plan: Plan, attempts: int) -> tuple[Finding, ...]:
    """The worst case against the user's limit: every attempt still to come through both windows, at list price."""
    once = worst_attempt_usd(plan, request)
    if request.max_cost_usd is None or once is None:
        return ()
    worst = once * attempts
    if worst <= request.max_cost_usd:
        return ()
    return (_error("TOO_EXPENSIVE", "max_cost_usd",
                   f"The worst case costs {worst:.2f} USD; the limit is {request.max_cost_usd:.2f}.",
                   "Raise max_cost_usd, allow fewer repairs, or shorten the windows."),)  # fmt: skip


def _error(code: str, field: str, message: str, fix: str) -> Finding:
    return Finding(severity="error", code=code, field=field, message=message, fix=fix)


def _warning(code: str, field: str, message: str, fix: str) -> Finding:
    return Finding(severity="warning", code=code, field=field, message=message, fix=fix)
