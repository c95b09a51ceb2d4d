"""The table: entries written once, pages that follow each other, one holder per endpoint."""

from __future__ import annotations

import base64
import json

import pytest
from inservice.adapters.table import DynamoDeployments
from inservice.errors import Unreadable


def test_a_deployment_is_created_once_and_its_entries_are_written_once(table: DynamoDeployments) -> None:
    assert table.create("d-1", {"status": "IN_PROGRESS", "progress": 0.5})
    assert not table.create("d-1", {"status": "DEPLOYED"})
    table.note("d-1", {"status": "LOSING"}, {"timeline.1": "first"})
    table.note("d-1", {}, {"timeline.1": "again"})
    assert table.read("d-1") == {"status": "LOSING", "progress": 0.5, "timeline.1": "first", "calls": 2}
    assert table.read("d-2") is None


def test_a_fragment_that_nobody_created_is_no_deployment(table: DynamoDeployments) -> None:
    table.note("d-1", {"status": "LOSING"}, {"timeline.1": "a state was run by hand"})
    assert table.read("d-1") is None


def test_the_newest_come_first_page_after_page_and_filtered(table: DynamoDeployments) -> None:
    for number in range(7):
        facts = {"status": "DEPLOYED" if number % 2 else "REFUSED", "created_at": f"2026-01-0{number + 1}"}
        table.create(f"d-{number}", facts)
    seen: list[str] = []
    token = None
    while True:
        page, token = table.newest(limit=3, token=token, where={})
        seen += [found["deployment_id"] for found in page]
        if token is None:
            break
    assert seen == [f"d-{number}" for number in range(6, -1, -1)]
    some, _ = table.newest(limit=10, token=None, where={"status": "DEPLOYED"})
    assert [found["deployment_id"] for found in some] == ["d-5", "d-3", "d-1"]


OTHER_KIND = {"pk": {"S": "endpoint#x"}, "_created_at": {"S": "9"}, "_kind": {"S": "endpoint"}}
FORGED = base64.urlsafe_b64encode(json.dumps(OTHER_KIND).encode()).decode()


@pytest.mark.parametrize("token", ["nonsense", "MQ==", "e30=", "bnVsbA==", FORGED])
def test_a_page_token_of_somebody_elses_is_told_so(table: DynamoDeployments, token: str) -> None:
    with pytest.raises(Unreadable):
        table.newest(limit=3, token=token, where={})


def test_one_holder_per_endpoint_whatever_its_case_until_it_lets_go_or_time_runs_out(table: DynamoDeployments) -> None:
    def lock(owner: str, *, now: float = 0, instead_of: str = "") -> bool:
        return table.lock("Chat", owner, "hash", now=now, expires_at=now + 10, instead_of=instead_of).mine

    assert lock("d-1")
    assert lock("d-1"), "the same owner may ask again"
    assert table.lock("chat", "d-2", "other", now=0, expires_at=10).owner == "d-1"
    table.unlock("chat", "d-2")
    assert not lock("d-2"), "somebody else's unlock changes nothing"
    assert lock("d-2", instead_of="d-1")
    assert lock("d-3", now=11)
    table.unlock("Chat", "d-3")
    assert lock("d-4")


def test_only_the_execution_that_has_it_in_hand_may_work_on_a_deployment(table: DynamoDeployments) -> None:
    table.create("d-1", {"status": "IN_PROGRESS"})
    assert table.enter("d-1", "d-1", "first")
    assert table.enter("d-1", "d-1", "second"), "a state may be retried while its first run goes on"
    facts, marks = table.take_over("d-1", "d-1-close") or ({}, ())
    assert (facts, set(marks)) == ({"status": "IN_PROGRESS"}, {"first", "second"})
    assert not table.enter("d-1", "d-1", "third")
    table.leave("d-1", "first")
    table.leave("d-1", "second")
    assert (table.take_over("d-1", "d-1-close") or ({}, None))[1] == ()
    assert table.enter("d-1", "d-1-close", "fourth")
    assert table.take_over("d-2", "d-2-close") is None
