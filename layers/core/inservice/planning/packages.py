"""Images and model packages that come with the request: what they hold decides the server and the model."""

from __future__ import annotations

import re

from inservice.contracts import DeploymentRequest
from inservice.planning.environment import TOTAL_TOKENS, number_in
from inservice.planning.tables import Image, images
from inservice.ports import Package

# The variables under which the servers' images are told their model and their lengths (`environment.py` writes them).
_MODEL = ("HF_MODEL_ID", "SM_VLLM_MODEL", "SM_SGLANG_MODEL_PATH", "OPTION_MODEL_ID")
_INPUT = ("MAX_INPUT_TOKENS", "MAX_INPUT_LENGTH")
_CUDA = re.compile(r"(?<![a-z0-9])cu(1\d)(\d)?(?![a-z0-9])")


def with_contents(request: DeploymentRequest, package: Package | None) -> DeploymentRequest:
    """The request to plan for: its own words first, then what its package and its image say."""
    return _of_image(_of_package(request, package) if package else request)


def recognised(image_uri: str) -> Image | None:
    """The catalogue's image behind an address in any region or account; None for an image it does not know."""
    named = image_uri.rpartition("/")[2]
    for server in ("vllm", "tgi", "lmi", "sglang"):
        for image in images(server):
            if named == f"{image.repository.rpartition('/')[2]}:{image.tag}":
                return image
    return None


def cuda_of(image_uri: str) -> str | None:
    """The CUDA version that an image's tag names, as AWS's and PyTorch's own tags do: …-cu130-… is 13.0."""
    found = _CUDA.search(image_uri.rpartition("/")[2])
    return f"{found[1]}.{found[2] or 0}" if found else None


def _of_package(request: DeploymentRequest, package: Package) -> DeploymentRequest:
    """A package may name a hub model beside itself, which no request may: so this copy is for planning only."""
    said = {**package.environment, **request.environment}
    hub_id = next((said[name] for name in _MODEL if "/" in said.get(name, "") and not said[name].startswith("/")), None)
    known = {*_MODEL, *TOTAL_TOKENS, *_INPUT}
    return request.model_copy(
        update={
            "image_uri": request.image_uri or package.image_uri,
            "model": request.model.model_copy(update={"hub_id": hub_id}),
            "max_total_tokens": request.max_total_tokens or number_in(said, TOTAL_TOKENS),
            "max_input_tokens": request.max_input_tokens or number_in(said, _INPUT),
            "environment": {name: value for name, value in said.items() if name not in known},
        }
    )


def _of_image(request: DeploymentRequest) -> DeploymentRequest:
    image = recognised(request.image_uri) if request.image_uri else None
    if image is None:
        return request
    server = image.server if request.server == "auto" else request.server
    return request.model_copy(update={"server": server, "server_version": request.server_version or image.version})
