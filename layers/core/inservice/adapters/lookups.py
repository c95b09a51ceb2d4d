"""What only a call can tell the planner: secrets, quotas, and whether an image is there."""

from __future__ import annotations

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, code_of, fault
from inservice.errors import NotFound
from inservice.ports import Package


class SecretsManagerSecrets:
    """Secrets through Secrets Manager, read each time, kept nowhere."""

    def __init__(self, secrets: Any = None) -> None:
        self._secrets = secrets or client("secretsmanager")

    def read(self, name: str) -> str:
        """The secret's string; NotFound when there is none of that name."""
        try:
            return str(self._secrets.get_secret_value(SecretId=name)["SecretString"]).strip()
        except ClientError as problem:
            if code_of(problem) == "ResourceNotFoundException":
                raise NotFound(f"there is no secret named {name}; create it in Secrets Manager") from None
            raise fault(problem) from None
        except BotoCoreError as problem:
            raise fault(problem) from None


class ServiceQuotas:
    """Quotas for endpoint usage through Service Quotas."""

    def __init__(self, quotas: Any = None) -> None:
        self._quotas = quotas or client("service-quotas")

    def endpoint_instances(self, instance_type: str) -> int | None:
        """The account's quota for this type; None when Service Quotas lists none."""
        wanted = f"{instance_type} for endpoint usage"
        try:
            for page in self._quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker"):
                for quota in page["Quotas"]:
                    if quota["QuotaName"] == wanted:
                        return int(quota["Value"])
            return None
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None


class EcrImages:
    """Image existence through ECR; only a registry that knows the repository can say no."""

    def __init__(self, ecr: Any = None) -> None:
        self._ecr = ecr or client("ecr")

    def exists(self, image_uri: str) -> bool | None:
        """Whether the image is there; None for an image outside ECR or a repository that may not be asked about."""
        match = re.fullmatch(r"(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com[a-z.]*/(.+?):([^:/@]+)", image_uri)
        if match is None:
            return None
        registry, repository, tag = match.groups()
        try:
            answer = self._ecr.batch_get_image(
                registryId=registry, repositoryName=repository, imageIds=[{"imageTag": tag}]
            )
        except ClientError as problem:
            if code_of(problem) in ("RepositoryNotFoundException", "AccessDeniedException"):
                return None
            raise fault(problem) from None
        except BotoCoreError as problem:
            raise fault(problem) from None
        return bool(answer.get("images"))


class SageMakerPackages:
    """Model packages through SageMaker's registry."""

    def __init__(self, sagemaker: Any = None) -> None:
        self._sagemaker = sagemaker or client("sagemaker")

    def describe(self, arn: str) -> Package | None:
        """The package's first container; None for a package without one."""
        try:
            found = self._sagemaker.describe_model_package(ModelPackageName=arn)
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None
        containers = found.get("InferenceSpecification", {}).get("Containers")
        return Package(containers[0]["Image"], containers[0].get("Environment") or {}) if containers else None
