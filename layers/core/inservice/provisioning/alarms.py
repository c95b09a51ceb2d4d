"""The alarms of one update: made where the request names none, watched while traffic moves, removed afterwards."""

from __future__ import annotations

from typing import Any

from inservice.contracts import DeploymentRequest
from inservice.provisioning.definitions import DEPLOYMENT_TAG, ENDPOINT_TAG, Definitions

# The stack's IAM policy grants alarms of this prefix and no others.
ALARM_PREFIX = "inservice-update-"
# The updates that bake between steps (deployment guardrails guide); all at once, nothing is left to go back to.
_BAKING = ("canary", "linear", "rolling")
# Two minutes of both alarms fit into the 300 s that each step is watched for.
_PERIOD_SECONDS, _PERIODS = 60, 2
# One request in twenty. The guide's example averages the error metric of an endpoint in the same way.
_MOST_ERRORS = 0.05
# InvokeEndpoint must be answered within 60 s (SageMaker Runtime reference); at 45 on average many answers are lost.
# ModelLatency is in microseconds (SageMaker's CloudWatch metrics page).
_SLOWEST_MICROSECONDS = 45_000_000.0


def alarm_names(endpoint_name: str, deployment_id: str) -> tuple[str, ...]:
    """The names of an update's own alarms; the same deployment always has the same ones."""
    return tuple(f"{ALARM_PREFIX}{endpoint_name}-{deployment_id}-{what}" for what in ("errors", "latency"))


def needs_alarms(request: DeploymentRequest) -> bool:
    """Whether the update would otherwise shift traffic step by step with nobody watching."""
    return request.update.strategy in _BAKING and not request.update.alarms


def define_alarms(wanted: Definitions, deployment_id: str) -> tuple[dict[str, Any], ...]:
    """PutMetricAlarm's arguments: server errors and slow answers of the new configuration only.

    The old fleet's own errors must not undo the update that cures them, so the new config's name is a dimension.
    """
    errors, latency = alarm_names(wanted.endpoint_name, deployment_id)
    return (
        _alarm(errors, "Invocation5XXErrors", _MOST_ERRORS, wanted, deployment_id),
        _alarm(latency, "ModelLatency", _SLOWEST_MICROSECONDS, wanted, deployment_id),
    )


def _alarm(name: str, metric: str, threshold: float, wanted: Definitions, deployment_id: str) -> dict[str, Any]:
    variant = wanted.config["ProductionVariants"][0]["VariantName"]
    dimensions = {
        "EndpointName": wanted.endpoint_name, "VariantName": variant, "EndpointConfigName": wanted.config_name,
    }  # fmt: skip
    tags = {DEPLOYMENT_TAG: deployment_id, ENDPOINT_TAG: wanted.endpoint_name}
    return {
        "AlarmName": name,
        "AlarmDescription": f"Rolls back the update of {wanted.endpoint_name} by InService; removed when it has ended.",
        "Namespace": "AWS/SageMaker",
        "MetricName": metric,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Average",
        "Period": _PERIOD_SECONDS,
        "EvaluationPeriods": _PERIODS,
        "Threshold": threshold,
        "ComparisonOperator": "GreaterThanThreshold",
        # An endpoint without requests is not a broken one.
        "TreatMissingData": "notBreaching",
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }
