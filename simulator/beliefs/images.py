"""Container images: what is inside one, as far as its name and the public catalogue tell."""

from __future__ import annotations

import re
from dataclasses import dataclass

from simulator.beliefs.tables import table

_NAME = re.compile(
    r"^(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.[a-z.]+/(?P<repository>[^:@]+):(?P<tag>.+)$"
)
_SERVERS = {
    "huggingface-pytorch-tgi-inference": ("tgi", r"tgi(\d+\.\d+\.\d+)"),
    "huggingface-vllm": ("vllm", r"^(\d+\.\d+\.\d+)"),
    "vllm": ("vllm", r"^(\d+\.\d+\.\d+)"),
    "djl-inference": ("lmi", r"^(\d+\.\d+\.\d+)"),
    "sglang": ("sglang", r"^(\d+\.\d+\.\d+)"),
    "huggingface-sglang": ("sglang", r"^(\d+\.\d+\.\d+)"),
}
# The engine of images whose tag is the image's own version: AWS Deep Learning Containers release data says only
# "> 0.27" and "> 0.5.17" for the newest, so these are the simulator's reading of it.
_ROLLING = {"vllm": "0.28.0", "sglang": "0.5.18"}
# vLLM inside LMI: djl-serving release notes (LMI14 = vLLM 0.6.3, LMI15 = 0.8.4, LMI16 = 0.10.2, LMI17 = 0.11.1).
_LMI_ENGINES = {
    "0.28.0": "0.4.2", "0.29.0": "0.5.3", "0.30.0": "0.6.2", "0.31.0": "0.6.3", "0.32.0": "0.6.3", "0.33.0": "0.8.4",
    "0.34.0": "0.10.2", "0.35.0": "0.11.1", "0.36.0": "0.23.0", "0.38.0": "0.28.0",
}  # fmt: skip


@dataclass(frozen=True)
class Image:
    """What an image holds; `server` is None for an image the simulator has no program for."""

    uri: str
    exists: bool
    server: str | None
    version: str
    engine_version: str
    cuda: tuple[int, int] | None


def image(uri: str, extra: dict[str, dict] | None = None) -> Image:
    """Reads an image's name; `extra` holds images registered through the control interface."""
    if extra and uri in extra:
        return _registered(uri, extra[uri])
    found = _NAME.match(uri)
    if not found:
        return Image(uri, False, None, "", "", None)
    listed = table("images")["images"].get(f"{found['repository']}:{found['tag']}")
    server, version = _server(found["repository"], found["tag"])
    exists = listed is not None and found["account"] in table("images")["accounts"]
    return Image(uri, exists, server, version, _engine(server, version), _cuda(found["tag"], listed, server))


def _registered(uri: str, entry: dict) -> Image:
    version = entry.get("version", "")
    cuda = entry.get("cuda")
    return Image(
        uri,
        True,
        entry.get("server"),
        version,
        entry.get("engine_version") or _engine(entry.get("server"), version),
        _pair(cuda) if cuda else None,
    )


def _server(repository: str, tag: str) -> tuple[str | None, str]:
    if "neuronx" in tag or "tensorrtllm" in tag or "deepspeed" in tag or "omni" in tag or "fastertransformer" in tag:
        return None, ""
    server, pattern = _SERVERS.get(repository, (None, "$^"))
    found = re.search(pattern, tag)
    if found:
        return server, found[1]
    return (server, _ROLLING[server]) if server in _ROLLING and tag.startswith("server-") else (None, "")


def _engine(server: str | None, version: str) -> str:
    return _LMI_ENGINES.get(version, "0.11.1") if server == "lmi" else version


def _pair(text: str) -> tuple[int, int]:
    major, minor = text.split(".")[:2]
    return int(major), int(minor)


def _cuda(tag: str, listed: dict | None, server: str | None) -> tuple[int, int] | None:
    found = re.search(r"cu(\d\d)(\d)", tag)
    if found:
        return int(found[1]), int(found[2])
    if listed and listed.get("cuda"):
        return _pair(listed["cuda"])
    return (13, 0) if server in _ROLLING else None


# Drivers of the inference AMIs: SageMaker ProductionVariant API reference (InferenceAmiVersion). The default AMI's
# driver is not documented; AWS's container documentation calls it incompatible with CUDA 13 images.
_AMI_CUDA = {
    None: (12, 4),
    "al2-ami-sagemaker-inference-gpu-2": (12, 2),
    "al2-ami-sagemaker-inference-gpu-2-1": (12, 2),
    "al2-ami-sagemaker-inference-gpu-3-1": (12, 4),
    "al2023-ami-sagemaker-inference-gpu-4-1": (13, 0),
}


def host_can_start(image_cuda: tuple[int, int] | None, ami: str | None) -> bool:
    """Whether the host AMI's driver fits the image: the CUDA major version must be the same.

    A CUDA 12.8 image on the driver-580 AMI was seen failing too (AWS deep-learning-containers tests), hence equality.
    """
    host = _AMI_CUDA.get(ami)
    if image_cuda is None or host is None:
        return True
    return image_cuda[0] == host[0] or (ami is None and image_cuda[0] < host[0])
