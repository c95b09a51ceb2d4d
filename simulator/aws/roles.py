"""Execution roles and alarms, as the engine (or a fault) has them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import BotoCoreError, ClientError

from simulator.aws.clients import Engine
from simulator.faults import Faults


class Roles:
    """What SageMaker finds when it assumes a role."""

    def __init__(self, engine: Engine | None, faults: Faults) -> None:
        self._engine, self._faults = engine, faults

    def problem(self, arn: str) -> str | None:
        """missing, untrusted, no_ecr or no_s3; None for a good role, and for any role without an engine."""
        set_by_fault = self._faults.value("roles", arn) or self._faults.value("roles", arn.rsplit("/", 1)[-1])
        if set_by_fault or not self._engine or not arn:
            return set_by_fault
        try:
            role = self._engine.client("iam").get_role(RoleName=arn.rsplit("/", 1)[-1])["Role"]
        except ClientError as problem:
            return "missing" if problem.response["Error"]["Code"] == "NoSuchEntity" else None
        except BotoCoreError:
            return None
        return None if _trusts_sagemaker(role["AssumeRolePolicyDocument"]) else "untrusted"


class Alarms:
    """CloudWatch alarms that may roll a deployment back."""

    def __init__(self, engine: Engine | None, faults: Faults) -> None:
        self._engine, self._faults = engine, faults

    def ringing(self, names: list[str]) -> list[str]:
        """The alarms among `names` that are in ALARM."""
        found = [name for name in names if self._faults.value("alarms", name) == "ALARM"]
        if not self._engine or not names:
            return found
        try:
            alarms = self._engine.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
        except (ClientError, BotoCoreError):
            return found
        return sorted({*found, *(alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM")})


def _trusts_sagemaker(document: Any) -> bool:
    policy = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal", {})
        services = principal.get("Service", []) if isinstance(principal, dict) else principal
        if statement.get("Effect") == "Allow" and ("sagemaker.amazonaws.com" in services or services == "*"):
            return True
    return False
