"""Whose AWS it is: the account of the caller's credentials, or the stack that runs in this folder."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.session
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from inservice.clock import Clock

from cli.problems import ApiError


@dataclass(frozen=True, kw_only=True)
class Account:
    """Who calls and where; the addresses and the faster clock are the embedded stack's."""

    region: str
    credentials: Credentials
    endpoint_url: str | None = None
    sagemaker_endpoint_url: str | None = None
    time_scale: float = 1.0
    time_epoch: float = 0.0

    @property
    def clock(self) -> Clock:
        """The time there."""
        return Clock(self.time_scale, self.time_epoch)

    def client(self, service: str) -> Any:
        """A client of an AWS service, for this caller."""
        found = self.credentials.get_frozen_credentials()
        url = self.sagemaker_endpoint_url if service.startswith("sagemaker") else self.endpoint_url
        return botocore.session.get_session().create_client(
            service, region_name=self.region, endpoint_url=url, aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key, aws_session_token=found.token,
        )  # fmt: skip


def find_account(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Account:
    """The stack that runs in this folder, unless `INSERVICE_API_URL` leads elsewhere; else the caller's AWS account."""
    found = announced(environment, folder)
    return account_of(found) if found else aws_account(environment)


def announced(environment: Mapping[str, str], folder: Path | None = None) -> dict[str, Any] | None:
    """What `make up` wrote here; None without it. Raises ApiError when it is something else."""
    file = (folder or Path.cwd()) / ".embedded" / "stack.json"
    if environment.get("INSERVICE_API_URL") or not file.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(file.read_text())
        account_of(found)
        return found
    except (ValueError, KeyError, TypeError) as problem:
        raise ApiError(f"{file} is not what `make up` writes ({problem}); remove it") from None


def account_of(stack: dict[str, Any]) -> Account:
    """The account that an embedded stack plays."""
    return Account(
        region=stack["region"], credentials=Credentials(stack["access_key_id"], stack["secret_access_key"]),
        endpoint_url=stack["aws_endpoint_url"], sagemaker_endpoint_url=stack["sagemaker_endpoint_url"],
        time_scale=float(stack["time_scale"]), time_epoch=float(stack["time_epoch"]),
    )  # fmt: skip


def aws_account(environment: Mapping[str, str]) -> Account:
    """The account and region that AWS's own tools would use. Raises ApiError without credentials."""
    try:
        session = botocore.session.get_session()
        region = (
            environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION")
            or session.get_config_variable("region") or "us-east-1"
        )  # fmt: skip
        credentials = session.get_credentials()
    except BotoCoreError as problem:
        raise ApiError(f"the AWS account was not found: {problem}; set AWS_PROFILE and AWS_REGION") from None
    if credentials is None:
        raise ApiError("no AWS credentials were found; set AWS_PROFILE or sign in, or start `make up` here")
    return Account(region=region, credentials=credentials)
