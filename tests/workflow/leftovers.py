"""What SageMaker and CloudWatch hold that no deployment accounts for."""

from __future__ import annotations

from collections import Counter
from typing import Any

_KINDS = (("list_endpoints", "Endpoint"), ("list_endpoint_configs", "EndpointConfig"), ("list_models", "Model"))


def leftovers(stack: Any, deployments: dict[str, dict[str, Any]]) -> list[str]:
    """Every resource that is nobody's, or of a deployment that was not deployed, or a second config of one that was.

    What a deployment made bears its id. A config and model of one that was deployed may outlive a later update:
    they are what an operator goes back to, until the sweep comes a day later.
    """
    sagemaker = stack.client("sagemaker")
    good = {name for name, found in deployments.items() if found["status"] == "DEPLOYED"}
    found: list[str] = []
    configs: Counter[str] = Counter()
    for operation, kind in _KINDS:
        for page in sagemaker.get_paginator(operation).paginate():
            for row in page[f"{kind}s"]:
                owner = _owner(sagemaker, row[f"{kind}Arn"])
                configs[owner] += kind == "EndpointConfig"
                broken = kind == "Endpoint" and row["EndpointStatus"] not in ("InService", "Deleting")
                if owner not in good or broken or (kind == "EndpointConfig" and configs[owner] > 1):
                    found.append(f"{kind} {row[f'{kind}Name']} of {owner or 'nobody'}")
    alarms = stack.client("cloudwatch").describe_alarms(AlarmNamePrefix="inservice-update-")["MetricAlarms"]
    return found + [f"alarm {alarm['AlarmName']}" for alarm in alarms] + _headless(sagemaker)


def _owner(sagemaker: Any, arn: str) -> str:
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    return str(tags.get("inservice:deployment", ""))


def _headless(sagemaker: Any) -> list[str]:
    """Live endpoints whose config or model is gone, so that they could never be restarted."""
    endpoints = [row for page in sagemaker.get_paginator("list_endpoints").paginate() for row in page["Endpoints"]]
    live = [row["EndpointName"] for row in endpoints if row["EndpointStatus"] == "InService"]
    configs = {sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"] for name in live}
    pages = sagemaker.get_paginator("list_endpoint_configs").paginate()
    there = {row["EndpointConfigName"] for page in pages for row in page["EndpointConfigs"]}
    return [f"a live endpoint without its config {name}" for name in configs - there]
