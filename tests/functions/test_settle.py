"""Settle: the update's alarms go, and the endpoint's lease is this request's; once more is no harm."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from inservice.clock import Clock
from inservice.contracts import Endpoint
from inservice.provisioning.alarms import alarm_names


@pytest.fixture
def settle(app: Any, hosting: Any, alarms: Any, journal: Any, request_: Any) -> Any:
    def run(created: bool = False, **fields: Any) -> dict[str, Any]:
        endpoint = Endpoint(
            endpoint_name="llama-3-8b-chat", endpoint_arn="arn:e", endpoint_config_name="new", model_names=("m",),
            variant_name="AllTraffic", created=created, log_group="g", started_at=datetime.now(UTC),
        )  # fmt: skip
        event = {"deployment_id": "d-1", "attempt": 1, "request": {**request_.as_json(), **fields}}
        ports = {"hosting": hosting, "alarms": alarms, "journal": journal}
        return app("settle").handler({**event, "endpoint": endpoint.as_json()}, **ports, clock=Clock())

    return run


def test_an_updated_endpoint_has_the_lease_of_the_update(settle: Any, hosting: Any, alarms: Any) -> None:
    hosting.tags = {"inservice:expires-at": "2026-01-01T00:00:00+00:00", "theirs": "stays"}
    for name in alarm_names("llama-3-8b-chat", "d-1"):
        alarms.put({"AlarmName": name, "Tags": []})
    first, second = settle(ttl_hours=5), settle(ttl_hours=5)
    assert len(first["removed"]) == 2
    assert (second["removed"], alarms.there) == ([], {})
    assert hosting.tags["theirs"] == "stays"
    assert hosting.tags["inservice:deployment"] == "d-1"
    assert datetime.fromisoformat(hosting.tags["inservice:expires-at"]) > datetime.now(UTC)


def test_without_a_lease_the_old_one_goes(settle: Any, hosting: Any) -> None:
    hosting.tags = {"inservice:expires-at": "2026-01-01T00:00:00+00:00"}
    assert settle()["lease_ends_at"] is None
    assert "inservice:expires-at" not in hosting.tags


def test_a_new_endpoint_was_tagged_when_it_was_made(settle: Any, hosting: Any) -> None:
    settle(created=True, ttl_hours=5)
    assert hosting.tags == {}
