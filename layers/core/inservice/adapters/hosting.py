"""SageMaker's control plane. Its Validation errors have no codes of their own, so their words decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, fault
from inservice.errors import Refused
from inservice.ports import EndpointDescription


class SageMakerHosting:
    """Hosting on SageMaker."""

    def __init__(self, sagemaker: Any = None) -> None:
        self._sagemaker = sagemaker or client("sagemaker")

    def describe_endpoint(self, name: str) -> EndpointDescription:
        """The endpoint as it is now; status Deleted when SageMaker does not find it."""
        found = self._found(self._sagemaker.describe_endpoint, EndpointName=name)
        if found is None:
            return EndpointDescription(status="Deleted")
        pending = found.get("PendingDeploymentSummary") or {}
        # While an endpoint is being updated, the config it moves to is the one in the summary.
        moving = found["EndpointStatus"] == "Updating" and pending.get("EndpointConfigName")
        return EndpointDescription(
            status=found["EndpointStatus"],
            config_name=moving or found.get("EndpointConfigName"),
            served_config_name=found.get("EndpointConfigName") if moving else None,
            failure_reason=found.get("FailureReason"),
            created_at=found.get("CreationTime"),
            modified_at=found.get("LastModifiedTime"),
            pending=bool(pending) and found["EndpointStatus"] == "InService",
            arn=found.get("EndpointArn"),
        )

    def describe_endpoint_config(self, name: str) -> dict[str, Any] | None:
        """The endpoint config, or None."""
        return self._found(self._sagemaker.describe_endpoint_config, EndpointConfigName=name)

    def describe_model(self, name: str) -> dict[str, Any] | None:
        """The model, or None."""
        return self._found(self._sagemaker.describe_model, ModelName=name)

    def create_model(self, definition: dict[str, Any]) -> None:
        """Creates the model; one of this name is the same model, because the name carries the content's hash."""
        self._once(self._sagemaker.create_model, definition)

    def create_endpoint_config(self, definition: dict[str, Any]) -> None:
        """Creates the endpoint config; one of this name is the same config."""
        self._once(self._sagemaker.create_endpoint_config, definition)

    def create_endpoint(self, definition: dict[str, Any]) -> str:
        """Starts an endpoint and returns its ARN."""
        return str(self._called(self._sagemaker.create_endpoint, definition)["EndpointArn"])

    def update_endpoint(self, definition: dict[str, Any]) -> str:
        """Starts moving an endpoint to another config and returns its ARN."""
        return str(self._called(self._sagemaker.update_endpoint, definition)["EndpointArn"])

    def delete_endpoint(self, name: str) -> None:
        """Starts deleting; an endpoint that is not there is deleted."""
        self._gone(self._sagemaker.delete_endpoint, {"EndpointName": name})

    def delete_endpoint_config(self, name: str) -> bool:
        """Deletes the config; False when it was not there."""
        return self._gone(self._sagemaker.delete_endpoint_config, {"EndpointConfigName": name})

    def delete_model(self, name: str) -> bool:
        """Deletes the model; False when it was not there."""
        return self._gone(self._sagemaker.delete_model, {"ModelName": name})

    def tag_endpoint(self, arn: str, tags: list[dict[str, str]]) -> None:
        """Sets these tags and leaves the others."""
        self._called(self._sagemaker.add_tags, {"ResourceArn": arn, "Tags": tags})

    def untag_endpoint(self, arn: str, keys: tuple[str, ...]) -> None:
        """Takes these tags away; those that are not there are no mistake."""
        self._called(self._sagemaker.delete_tags, {"ResourceArn": arn, "TagKeys": list(keys)})

    def _found(self, operation: Callable[..., Any], **arguments: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._called(operation, arguments)
            return found
        except Refused as refusal:
            if "Could not find" in str(refusal):
                return None
            raise

    def _once(self, operation: Callable[..., Any], definition: dict[str, Any]) -> None:
        try:
            self._called(operation, definition)
        except Refused as refusal:
            if "already existing" not in str(refusal):
                raise

    def _gone(self, operation: Callable[..., Any], arguments: dict[str, str]) -> bool:
        try:
            self._called(operation, arguments)
            return True
        except Refused as refusal:
            if "Could not find" in str(refusal):
                return False
            raise

    def _called(self, operation: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        try:
            return operation(**arguments)
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None
