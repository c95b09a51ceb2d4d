"""Names SageMaker accepts, the same for the same content."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from inservice.contracts import DeploymentRequest

# EndpointName, EndpointConfigName and ModelName: at most 63 (SageMaker API reference).
_LONGEST = 63


def endpoint_name_for(request: DeploymentRequest) -> str:
    """The request's own name, or one that follows from the model."""
    if request.endpoint_name:
        return request.endpoint_name
    model = request.model
    source = model.hub_id or model.s3_uri or (model.model_package_arn or "").split(":model-package/")[-1] or "model"
    return _cleaned(source.rstrip("/").split("/")[-1] or "model")[:_LONGEST].strip("-")


def resource_name(endpoint_name: str, content: dict[str, Any]) -> str:
    """`endpoint_name` with a hash of the content, for what SageMaker does not let change."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    digest = hashlib.blake2s(text.encode(), digest_size=5).hexdigest()
    return f"{endpoint_name[: _LONGEST - len(digest) - 1].rstrip('-')}-{digest}"


def log_group_of(endpoint_name: str) -> str:
    """Where SageMaker writes the containers' output (developer guide, logging)."""
    return f"/aws/sagemaker/Endpoints/{endpoint_name}"


def _cleaned(text: str) -> str:
    return re.sub(r"-+", "-", re.sub(r"[^a-zA-Z0-9]", "-", text)).strip("-").lower() or "model"
