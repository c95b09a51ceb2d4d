"""Which deployments an event asks for."""

from __future__ import annotations

from typing import Any

from inservice.errors import Unreadable
from inservice.ports import Deployments

# How far back a model package's endpoints are looked for: this many deployments.
_LOOK_BACK = 100


def documents_of(event: dict[str, Any], *, deployments: Deployments) -> list[dict[str, Any]]:
    """The requests an event stands for; Unreadable for one that stands for none by its shape."""
    kind, detail = event.get("detail-type"), event.get("detail")
    if not isinstance(detail, dict) or not event.get("id"):
        raise Unreadable(
            "the event has no id or no detail; send an EventBridge event with a DeploymentRequest in detail"
        )
    if kind == "Deployment Requested":
        return [detail]
    if kind == "SageMaker Model Package State Change":
        return _of_package(detail, deployments)
    raise Unreadable(f"nothing is deployed for events of type {kind!r}")


def _of_package(detail: dict[str, Any], deployments: Deployments) -> list[dict[str, Any]]:
    """The newest request of every endpoint that runs a package of this group, with the approved version."""
    group, arn = detail.get("ModelPackageGroupName"), detail.get("ModelPackageArn")
    if not group or not arn:
        raise Unreadable("the event names no ModelPackageGroupName and ModelPackageArn")
    if str(detail.get("ModelApprovalStatus", "")).lower() != "approved":
        return []
    documents: dict[str, dict[str, Any]] = {}
    known, _ = deployments.newest(limit=_LOOK_BACK, token=None, where={})
    for facts in known:
        package = str((facts.get("request") or {}).get("model", {}).get("model_package_arn") or "")
        if _group_of(package) == str(group).lower() and facts["endpoint_name"] not in documents:
            request = {**facts["request"], "request_id": None}
            documents[facts["endpoint_name"]] = {**request, "model": {"model_package_arn": arn}}
    return list(documents.values())


def _group_of(arn: str) -> str:
    """The group in arn:aws:sagemaker:REGION:ACCOUNT:model-package/GROUP/VERSION, which events spell in lower case."""
    return arn.split(":model-package/")[-1].split("/")[0].lower() if ":model-package/" in arn else ""
