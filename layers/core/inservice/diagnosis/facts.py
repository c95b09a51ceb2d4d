"""What the diagnosis knows of a start besides its log: the plan, or SageMaker's own definitions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from inservice.contracts import DeploymentRequest, Plan
from inservice.planning.environment import TOTAL_TOKENS, number_in
from inservice.planning.tables import instance


@dataclass(frozen=True)
class Facts:
    """What is known about the plan; anything unreadable counts as unknown."""

    server: str | None = None
    image_uri: str | None = None
    ami: str | None = None
    window_seconds: int | None = None
    likely_seconds: int | None = None
    high_seconds: int | None = None
    volume_gb: int | None = None
    max_total_tokens: int | None = None
    max_input_tokens: int | None = None
    max_concurrent_requests: int | None = None
    quantization: str | None = None
    gpu_count: int | None = None
    log_group_exists: bool | None = None

    @classmethod
    def of_plan(cls, plan: Plan, request: DeploymentRequest | None = None) -> Facts:
        """What a plan says, and the request it was made for as far as it is known."""
        predicted = plan.predicted_load_seconds
        # Of several pools, nobody says which one the instance came from.
        machine = instance(plan.instance_type) if not plan.instance_pools else None
        return cls(
            server=plan.server,
            image_uri=plan.image_uri,
            ami=plan.inference_ami_version,
            window_seconds=plan.health_check_timeout_seconds,
            likely_seconds=predicted.likely if predicted else None,
            high_seconds=predicted.high if predicted else None,
            volume_gb=plan.volume_size_gb,
            max_total_tokens=number_in(plan.environment, TOTAL_TOKENS),
            max_input_tokens=request.max_input_tokens if request else None,
            max_concurrent_requests=request.max_concurrent_requests if request else None,
            quantization=request.quantization if request else None,
            gpu_count=machine.gpu_count if machine else None,
        )

    @classmethod
    def of(cls, config: Any) -> Facts:
        """Facts from any JSON value, under the names the cases use; never raises."""
        given = config if isinstance(config, dict) else {}
        predicted = given.get("predicted_load_seconds")
        predicted = predicted if isinstance(predicted, dict) else {}
        exists = given.get("log_group_exists")
        return cls(
            server=_text(given.get("server")),
            image_uri=_text(given.get("image_uri")) or _text(given.get("image")),
            ami=_text(given.get("inference_ami_version")),
            window_seconds=_whole(given.get("health_check_timeout_seconds")),
            likely_seconds=_whole(predicted.get("likely")),
            high_seconds=_whole(predicted.get("high")),
            volume_gb=_whole(given.get("volume_size_gb")),
            max_total_tokens=_whole(given.get("max_total_tokens")),
            max_input_tokens=_whole(given.get("max_input_tokens")),
            max_concurrent_requests=_whole(given.get("max_concurrent_requests")),
            quantization=_text(given.get("quantization")),
            gpu_count=_whole(given.get("gpu_count")),
            log_group_exists=exists if isinstance(exists, bool) else None,
        )

    @property
    def image_cuda(self) -> str | None:
        """The CUDA version in the image's tag, such as 13.0 for cu130."""
        found = re.search(r"-cu(\d\d)(\d)", self.image_uri or "")
        return f"{found[1]}.{found[2]}" if found else None

    @property
    def ami_mismatch(self) -> bool:
        """CUDA 13 images need AMI gpu-4-1, CUDA 12 images gpu-3-1 (aws/deep-learning-containers, test constants)."""
        cuda = self.image_cuda
        if cuda is None:
            return False
        if cuda.startswith("13"):
            return "gpu-4" not in (self.ami or "")
        return cuda.startswith("12") and "gpu-4" in (self.ami or "")


NOTHING_KNOWN = Facts()


def _whole(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return int(value) if 0 < value < 1e12 else None


def _text(value: Any) -> str | None:
    return value[:2000] if isinstance(value, str) and value.strip() else None
