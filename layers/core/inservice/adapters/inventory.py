"""What is ours on SageMaker, found by its tags, and what any endpoint uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, fault
from inservice.ports import Owned
from inservice.provisioning.definitions import DEPLOYMENT_TAG

_KINDS = (
    ("endpoint", "list_endpoints", "Endpoints", "Endpoint"),
    ("endpoint-config", "list_endpoint_configs", "EndpointConfigs", "EndpointConfig"),
    ("model", "list_models", "Models", "Model"),
)


class SageMakerInventory:
    """The inventory of one account and region."""

    def __init__(self, sagemaker: Any = None) -> None:
        self._sagemaker = sagemaker or client("sagemaker")

    def owned(self) -> list[Owned]:
        """Every endpoint, endpoint config and model with this project's tag."""
        try:
            return [owned for kind in _KINDS for owned in self._of(*kind) if DEPLOYMENT_TAG in owned.tags]
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None

    def in_use(self) -> set[tuple[str, str]]:
        """(kind, name in lower case) of every config an endpoint has or moves to, and of their models."""
        found: set[tuple[str, str]] = set()
        try:
            for row in self._rows("list_endpoints", "Endpoints"):
                for name in self._configs(row["EndpointName"]):
                    found |= {("endpoint-config", name.lower())} | self._models(name)
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None
        return found

    def _of(self, kind: str, operation: str, key: str, prefix: str) -> Iterator[Owned]:
        for row in self._rows(operation, key):
            tags = self._sagemaker.get_paginator("list_tags").paginate(ResourceArn=row[f"{prefix}Arn"])
            named = {tag["Key"]: tag["Value"] for page in tags for tag in page["Tags"]}
            yield Owned(kind, row[f"{prefix}Name"], named, row["CreationTime"], row.get("EndpointStatus", ""))

    def _rows(self, operation: str, key: str) -> Iterator[dict[str, Any]]:
        for page in self._sagemaker.get_paginator(operation).paginate():
            yield from page[key]

    def _configs(self, endpoint_name: str) -> list[str]:
        try:
            seen = self._sagemaker.describe_endpoint(EndpointName=endpoint_name)
        except ClientError as problem:
            if "Could not find" in str(problem):
                return []
            raise
        pending = (seen.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
        return [name for name in (seen.get("EndpointConfigName"), pending) if name]

    def _models(self, config_name: str) -> set[tuple[str, str]]:
        try:
            config = self._sagemaker.describe_endpoint_config(EndpointConfigName=config_name)
        except ClientError as problem:
            if "Could not find" in str(problem):
                return set()
            raise
        variants = config["ProductionVariants"]
        pools = [pool for variant in variants for pool in variant.get("InstancePools") or []]
        names = [variant.get("ModelName") for variant in variants] + [pool.get("ModelNameOverride") for pool in pools]
        return {("model", name.lower()) for name in names if name}
