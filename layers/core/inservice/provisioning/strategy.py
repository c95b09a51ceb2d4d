"""How a live endpoint is moved: SageMaker's DeploymentConfig for each strategy."""

from __future__ import annotations

from typing import Any

from inservice.contracts import DeploymentRequest

# How long a part of the traffic is watched before the next, in seconds; SageMaker allows 0 to 3600.
_BAKE_SECONDS = 300
# The longest an update may take before SageMaker rolls it back; it allows 600 to 28800 s.
_LONGEST_UPDATE_SECONDS = 14_400
_TENTH = {"Type": "CAPACITY_PERCENT", "Value": 10}


def deployment_config(request: DeploymentRequest, alarms: tuple[str, ...]) -> dict[str, Any]:
    """The DeploymentConfig argument of UpdateEndpoint; empty where SageMaker's default says the same."""
    strategy = request.update.strategy
    if strategy == "all_at_once" and not alarms:
        return {}
    config = _rolling(request) if strategy == "rolling" else _blue_green(request)
    if alarms:
        config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": alarm} for alarm in alarms]}
    return {"DeploymentConfig": config}


def _blue_green(request: DeploymentRequest) -> dict[str, Any]:
    routing: dict[str, Any] = {"Type": request.update.strategy.upper(), "WaitIntervalInSeconds": _BAKE_SECONDS}
    if request.update.strategy == "canary":
        routing["CanarySize"] = _TENTH
    if request.update.strategy == "linear":
        routing["LinearStepSize"] = _TENTH
    policy = {"TrafficRoutingConfiguration": routing, "MaximumExecutionTimeoutInSeconds": _LONGEST_UPDATE_SECONDS}
    return {"BlueGreenUpdatePolicy": policy}


def _rolling(request: DeploymentRequest) -> dict[str, Any]:
    # One instance at a time, but SageMaker takes at least 5 % and at most half of the fleet in one batch.
    percent = min(50, max(5, -(-100 // request.instance_count)))
    batch = {"Type": "CAPACITY_PERCENT", "Value": percent}
    return {
        "RollingUpdatePolicy": {
            "MaximumBatchSize": batch,
            "WaitIntervalInSeconds": _BAKE_SECONDS,
            "MaximumExecutionTimeoutInSeconds": _LONGEST_UPDATE_SECONDS,
        }
    }
