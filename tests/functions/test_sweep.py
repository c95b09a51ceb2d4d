"""Sweep: what is left behind goes, what is wanted stays, and nothing goes before it was reported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.ports import Owned

OLD = datetime.now(UTC) - timedelta(days=3)
TAGS = {"inservice:deployment": "d-1"}


class Inventory:
    """What SageMaker has of ours."""

    def __init__(self, *owned: Owned, used: tuple[tuple[str, str], ...] = ()) -> None:
        self._owned, self._used = list(owned), set(used)

    def owned(self) -> list[Owned]:
        return self._owned

    def in_use(self) -> set[tuple[str, str]]:
        return self._used


@pytest.fixture
def swept(app: Any, hosting: Any, alarms: Any, table: Any) -> Any:
    def run(inventory: Inventory, mode: str = "remove", status: str = "NOT_DEPLOYED") -> dict[str, Any]:
        table.note("d-1", {"status": status}, {})
        ports = {"inventory": inventory, "alarms": alarms, "hosting": hosting, "deployments": table}
        return app("sweep").handler({"mode": mode}, None, **ports, clock=Clock())

    return run


def test_a_report_touches_nothing(swept: Any, hosting: Any) -> None:
    answer = swept(Inventory(Owned("endpoint", "e", TAGS, OLD, "Failed")), mode="report")
    assert list(answer["found"]) == ["endpoint e"]
    assert answer["removed"] == hosting.asked == []


def test_what_nobody_uses_goes_and_what_serves_stays(swept: Any, hosting: Any) -> None:
    inventory = Inventory(
        Owned("endpoint-config", "used", TAGS, OLD), Owned("endpoint-config", "unused", TAGS, OLD),
        Owned("model", "used", TAGS, OLD), Owned("model", "unused", TAGS, OLD),
        Owned("model", "new", TAGS, datetime.now(UTC)),
        used=(("endpoint-config", "used"), ("model", "used")),
    )  # fmt: skip
    assert swept(inventory, status="DEPLOYED")["removed"] == ["endpoint-config unused", "model unused"]
    left = swept(inventory, status="NOT_DEPLOYED")["removed"]
    assert left == ["endpoint-config unused", "model unused", "model new"], "nobody goes back to what never served"


def test_a_running_deployment_keeps_everything(swept: Any) -> None:
    inventory = Inventory(Owned("endpoint", "e", TAGS, OLD, "Failed"), Owned("model", "m", TAGS, OLD))
    assert swept(inventory, status="IN_PROGRESS")["found"] == {}


def test_a_lease_ends_only_when_it_has_ended(swept: Any) -> None:
    def lease(hours: float) -> dict[str, str]:
        return {**TAGS, "inservice:expires-at": (datetime.now(UTC) + timedelta(hours=hours)).isoformat()}

    inventory = Inventory(
        Owned("endpoint", "over", lease(-1), OLD, "InService"), Owned("endpoint", "live", lease(1), OLD, "InService"),
        Owned("endpoint", "forever", TAGS, OLD, "InService"), Owned("endpoint", "busy", lease(-1), OLD, "Creating"),
    )  # fmt: skip
    assert swept(inventory, status="DEPLOYED")["removed"] == ["endpoint over"]


def test_a_failed_endpoint_that_was_to_be_kept_is_kept(swept: Any, table: Any) -> None:
    table.note("d-1", {"request": {"on_failure": {"keep_endpoint": True}}}, {})
    assert swept(Inventory(Owned("endpoint", "e", TAGS, OLD, "Failed")))["found"] == {}


def test_an_alarm_of_an_update_that_has_ended_goes(swept: Any, alarms: Any) -> None:
    alarms.put(
        {"AlarmName": "inservice-update-e-d-1-errors", "Tags": [{"Key": "inservice:deployment", "Value": "d-1"}]}
    )
    assert swept(Inventory(), status="IN_PROGRESS")["found"] == {}
    assert swept(Inventory())["removed"] == ["alarm inservice-update-e-d-1-errors"]
    assert alarms.there == {}


def test_an_ended_lease_waits_for_the_update_that_may_renew_it(swept: Any, table: Any) -> None:
    over = {**TAGS, "inservice:expires-at": (datetime.now(UTC) - timedelta(hours=1)).isoformat()}
    facts = {"endpoint_name": "leased", "status": "IN_PROGRESS"}
    table.create("d-2", facts)
    inventory = Inventory(Owned("endpoint", "leased", over, OLD, "InService"))
    assert swept(inventory, status="DEPLOYED")["found"] == {}
    table.note("d-2", {"status": "DEPLOYED"}, {})
    assert swept(inventory, status="DEPLOYED")["removed"] == ["endpoint leased"]
