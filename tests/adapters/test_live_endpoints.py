"""Live endpoints in the table: the latest success, what is wanted next, and rights that are taken once."""

from __future__ import annotations

from typing import Any

import pytest
from inservice.adapters.dead_letters import SqsDeadLetters
from inservice.adapters.live_endpoints import DynamoLiveEndpoints
from inservice.ports import LiveEndpoint

FIRST = LiveEndpoint("Chat", "d-1", "2026-01-01", "config-1", {"model": {}}, {"server": "tgi"})


@pytest.fixture
def live(table: Any) -> DynamoLiveEndpoints:
    return DynamoLiveEndpoints(table._table, table._dynamodb)


def test_the_latest_success_stays_and_can_be_listed(live: DynamoLiveEndpoints) -> None:
    second = LiveEndpoint("Chat", "d-2", "2026-01-02", "config-2", {}, {})
    for found in (FIRST, second, FIRST):
        live.put(found)
    live.put(LiveEndpoint("other", "d-3", "2026-01-03", "c", {}, {}))
    assert live.get("chat") == second, "names are compared without case"
    assert [found.deployment_id for found in live.every()] == ["d-3", "d-2"]
    live.remove("CHAT")
    assert live.get("chat") is None


def test_a_deployment_is_not_a_live_endpoint(live: DynamoLiveEndpoints, table: Any) -> None:
    table.create("d-1", {"status": "DEPLOYED", "created_at": "2026-01-01"})
    live.put(FIRST)
    assert len(live.every()) == 1
    assert len(table.newest(limit=9, token=None, where={})[0]) == 1


def test_only_a_newer_package_is_wanted_and_a_success_does_not_forget_it(live: DynamoLiveEndpoints) -> None:
    assert not live.want("chat", "arn/9", 9, "e-9"), "nothing of that name is live"
    live.put(FIRST)
    assert live.want("chat", "arn/3", 3, "e-3")
    assert live.want("chat", "arn/3", 3, "e-3"), "the same event again"
    assert not live.want("chat", "arn/2", 2, "e-2")
    live.put(LiveEndpoint("Chat", "d-2", "2026-01-02", "config-2", {}, {}))
    found = live.get("chat")
    assert found is not None
    assert (found.wanted, found.wanted_by) == ("arn/3", "e-3")


def test_the_right_to_redeploy_after_a_failure_is_taken_once_in_a_while(live: DynamoLiveEndpoints) -> None:
    live.put(FIRST)
    assert live.claim_recovery("chat", "e-1", "2026-01-05", "2026-01-04")
    assert live.claim_recovery("chat", "e-1", "2026-01-05", "2026-01-04"), "the same event again"
    assert not live.claim_recovery("chat", "e-2", "2026-01-05", "2026-01-04")
    assert live.claim_recovery("chat", "e-3", "2026-01-07", "2026-01-06")


def test_a_dead_letter_bears_its_reason(table: Any) -> None:
    import boto3

    sqs = boto3.client("sqs", region_name="us-east-1")
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    SqsDeadLetters(url, sqs).put({"id": "e-1"}, "no model: " + "x" * 5000)
    [message] = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"id": "e-1"}'
    assert message["MessageAttributes"]["reason"]["StringValue"].startswith("no model")
