"""What must be so of one endpoint once all its deployments have ended, however they came about."""

from __future__ import annotations

import time
from typing import Any

from tests.workflow.caller import Caller

_FINAL = ("is InService", "was not deployed", "was refused")


def ended(caller: Caller, ids: list[str]) -> list[dict[str, Any]]:
    """The outcomes, oldest first, once every execution of theirs has ended."""
    for one in ids:
        caller.execution(one)
    outcomes = [caller.outcome(one) for one in ids]
    for one in ids:
        if _status(caller, f"{one}-close"):
            caller.execution(f"{one}-close")
    return outcomes


def assert_statuses_are_true(caller: Caller, outcomes: list[dict[str, Any]], killed: set[str]) -> None:
    """An execution succeeds exactly when its deployment is deployed; for one that was killed its second one does."""
    for outcome in outcomes:
        one = outcome["deployment_id"]
        right = "SUCCEEDED" if outcome["status"] == "DEPLOYED" else "FAILED"
        status, closing = _status(caller, one), _status(caller, f"{one}-close")
        assert status == right or (status == "ABORTED" and one in killed), (status, outcome)
        assert closing is None or (closing == right and one in killed), (closing, outcome)


def assert_the_endpoint_is_the_last_deployed(
    caller: Caller, name: str, outcomes: list[dict[str, Any]], *, deleted_by_hand: bool
) -> None:
    """It serves the newest deployment that was deployed; without any, it is not there."""
    found = caller.resources()["endpoints"].get(name)
    deployed = [outcome["deployment_id"] for outcome in outcomes if outcome["status"] == "DEPLOYED"]
    if not deployed:
        assert found is None, (found, outcomes)
    elif found in (None, "Deleting"):
        assert deleted_by_hand, outcomes
    else:
        sagemaker = caller.stack.client("sagemaker")
        seen = sagemaker.describe_endpoint(EndpointName=name)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=seen["EndpointConfigName"])
        for arn in (seen["EndpointArn"], config["EndpointConfigArn"]):
            tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
            assert tags["inservice:deployment"] == deployed[-1], (arn, tags, outcomes)
        assert found == "InService", (found, outcomes)


def assert_each_was_told_once(caller: Caller, name: str, outcomes: list[dict[str, Any]]) -> None:
    """One final message per deployment, at most one early one before it."""
    said, ends = caller.messages(name, count=len(outcomes)), time.monotonic() + 60
    while len(finals := _finals(said)) < len(outcomes) and time.monotonic() < ends:
        time.sleep(0.2)
        said = caller.messages(name, count=len(outcomes))
    assert len(finals) == len(outcomes), (said, outcomes)
    early = [text for text in said if "is not going to start" in text]
    assert len(said) == len(finals) + len(early)
    assert len(early) <= len(outcomes)


def _finals(said: list[str]) -> list[str]:
    return [text for text in said if any(words in text for words in _FINAL)]


def assert_the_endpoint_is_free(caller: Caller, name: str) -> None:
    """No lock is left on it."""
    dynamodb = caller.stack.client("dynamodb")
    assert "Item" not in dynamodb.get_item(TableName=caller.table(), Key={"pk": {"S": f"lock#{name}"}})


def _status(caller: Caller, execution: str) -> str | None:
    states = caller.stack.client("stepfunctions")
    arn = caller.stack.execution_arn(execution)
    try:
        return str(states.describe_execution(executionArn=arn)["status"])
    except states.exceptions.ExecutionDoesNotExist:
        return None
