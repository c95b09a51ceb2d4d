"""Which server, which version, which instance type."""

from __future__ import annotations

from dataclasses import dataclass

from inservice.contracts import DeploymentRequest, Finding
from inservice.planning.memory import Load, budget, default_batch, default_utilisation
from inservice.planning.tables import (
    Image,
    Instance,
    Model,
    image_uri,
    images,
    instance,
    instances,
    is_hosting_type,
    parsed,
)
from inservice.planning.versions import bitsandbytes_works, serving, support


@dataclass(frozen=True)
class Chosen:
    """The image and instance type, and what was changed on the way."""

    image: Image
    instance: Instance
    findings: tuple[Finding, ...]


def choose(request: DeploymentRequest, known: Model | None, region: str) -> tuple[Chosen | None, tuple[Finding, ...]]:
    """The choice, or None with the findings that leave none."""
    image, findings = _image(request, known, region)
    machine, more = _instance(request, known, image)
    if image is None or machine is None:
        return None, findings + more
    return Chosen(image, machine, findings + more), ()


def _image(request: DeploymentRequest, known: Model | None, region: str) -> tuple[Image | None, tuple[Finding, ...]]:
    server = "vllm" if request.server == "auto" else request.server
    fitting = serving(server, known)
    if request.server == "auto" and not fitting:
        server = next((other for other in ("lmi", "tgi") if serving(other, known)), server)
        fitting = serving(server, known)
    if request.quantization and request.quantization.startswith("bitsandbytes"):
        fitting, gone = tuple(i for i in fitting if bitsandbytes_works(server, i.version)), fitting
        if gone and not fitting:
            return None, (_error("QUANTIZATION_REMOVED", "quantization", f"{server} no longer has bitsandbytes.",
                                 "Use fp8 or an AWQ checkpoint, or server tgi."),)  # fmt: skip
    if not fitting:
        others = [other for other in ("vllm", "lmi", "tgi") if serving(other, known)]
        why = support(known).why if known else ""
        return None, (_error("SERVER_CANNOT_SERVE", "server", f"No version of {server} serves {_name(known)}; {why}",
                             f"Use server {' or '.join(others)}." if others else "Choose another model."),)  # fmt: skip
    image, findings = _version(request, server, fitting, known)
    if image and not request.image_uri and image_uri(image, region) is None:
        findings += (_error("IMAGE_NOT_IN_REGION", "server_version", f"AWS does not publish this image in {region}.",
                            "Choose another server or region, or give image_uri."),)  # fmt: skip
    return image, findings


def _version(
    request: DeploymentRequest, server: str, fitting: tuple[Image, ...], known: Model | None
) -> tuple[Image | None, tuple[Finding, ...]]:
    wanted = request.server_version
    if wanted is None:
        return fitting[-1], ()
    exact = next((image for image in images(server) if image.version == wanted.lstrip("v")), None)
    if exact in fitting:
        return exact, ()
    if exact is None:
        later = [image for image in fitting if parsed(image.version) >= parsed(wanted)] or [fitting[-1]]
        said = f"There is no SageMaker image of {server} {wanted}; {later[0].version} is used."
        return later[0], (_warning("VERSION_NOT_PUBLISHED", "server_version", said,
                                   f"Ask for one of: {', '.join(image.version for image in fitting)}."),)  # fmt: skip
    if request.image_uri:
        said = f"This image's {server} {exact.version} does not serve {_name(known)}."
        fix = f"Leave image_uri out, or use one of {', '.join(image.version for image in fitting)}."
        return exact, (_error("IMAGE_CANNOT_SERVE", "image_uri", said, fix),)
    later = [image for image in fitting if parsed(image.version) > parsed(exact.version)]
    image = later[0] if later else fitting[-1]
    why = f": {support(known).why}" if known and support(known).why else ""
    said = f"{server} {wanted} does not serve {_name(known)} properly{why}. {image.version} is used."
    return image, (_warning("VERSION_CHANGED", "server_version", said, f"Ask for {image.version} or leave it out."),)


def _instance(
    request: DeploymentRequest, known: Model | None, image: Image | None
) -> tuple[Instance | None, tuple[Finding, ...]]:
    if request.instance_type == "auto":
        return _cheapest(request, known, image)
    found = instance(request.instance_type)
    if found:
        return found, ()
    if is_hosting_type(request.instance_type):
        return None, (_error("INSTANCE_WITHOUT_GPU", "instance_type",
                             f"{request.instance_type} has no NVIDIA GPU, which these servers need.",
                             "Use a type such as ml.g5.2xlarge, or auto."),)  # fmt: skip
    return None, (_error("INSTANCE_TYPE_UNKNOWN", "instance_type",
                         f"SageMaker hosts on no type {request.instance_type}.",
                         "Use a type such as ml.g5.2xlarge, or auto."),)  # fmt: skip


def _cheapest(
    request: DeploymentRequest, known: Model | None, image: Image | None
) -> tuple[Instance | None, tuple[Finding, ...]]:
    if known is None or image is None or known.weights_gib is None:
        return None, (_error("NO_PLAN", "instance_type", "The model's size is not known, so no type can be chosen.",
                             "Name an instance_type."),)  # fmt: skip
    for machine in instances():
        if (
            machine.usd_per_hour is not None
            and machine.compute_capability >= 7.5
            and _fits(request, known, image, machine)
        ):
            said = f"{machine.name} is the cheapest type that holds it, at {machine.usd_per_hour} USD an hour."
            return machine, (
                Finding(severity="info", code="INSTANCE_CHOSEN", field="instance_type", message=said, fix=""),
            )
    return None, (_error("NO_PLAN", "instance_type", "No instance type with a known price holds this model.",
                         "Lower max_total_tokens, quantise, or name an instance_type."),)  # fmt: skip


def _fits(request: DeploymentRequest, known: Model, image: Image, machine: Instance) -> bool:
    tp = degree(known, machine, request)
    seqs, batched = default_batch(machine.gpu_gib, a100=machine.gpu == "A100")
    length = request.max_total_tokens or min(known.max_positions, 8192)
    load = Load(
        image.server, "0.30.0", tp, length, request.max_concurrent_requests or seqs, batched,
        default_utilisation(image.server, image.version), request.quantization or known.quantization,
    )  # fmt: skip
    found = budget(known, machine.gpu_gib, load)
    # A tenth of the GPU is left over, because a choice of ours must not be one that just fits.
    return found is not None and found.fits and found.kv_gib > 0.1 * machine.gpu_gib


def degree(known: Model | None, machine: Instance, request: DeploymentRequest) -> int:
    """The tensor parallel degree: all GPUs, or the most that divide the attention heads."""
    most = machine.gpu_count
    if known is None:
        return most
    return max(tp for tp in range(1, most + 1) if known.heads % tp == 0 and (tp & (tp - 1)) == 0)


def _name(known: Model | None) -> str:
    return known.name if known else "this model"


def _error(code: str, field: str, message: str, fix: str) -> Finding:
    return Finding(severity="error", code=code, field=field, message=message, fix=fix)


def _warning(code: str, field: str, message: str, fix: str) -> Finding:
    return Finding(severity="warning", code=code, field=field, message=message, fix=fix)
