"""The ledger: hours and money by attempt and in total, from the journal's own times."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from inservice.deployments.ledger import ledger_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def facts(**more: Any) -> dict[str, Any]:
    plan = {"cost_per_hour_usd": 3.0}
    return {
        "attempt_count": 2, "calls": 100, "request": {"instance_count": 2},
        "attempt.1.plan": plan, "attempt.1.started_at": "2026-11-24T10:00:00+00:00",
        "attempt.1.ended_at": "2026-11-24T10:30:00+00:00",
        "attempt.2.plan": plan, "attempt.2.started_at": "2026-11-24T11:00:00+00:00", **more,
    }  # fmt: skip


def test_each_attempt_has_its_hours_and_the_total_has_the_orchestration_too() -> None:
    ledger = ledger_of(facts(), NOW)
    assert [(entry.instance_hours, entry.usd) for entry in ledger.attempts] == [(1.0, 1.5), (2.0, 3.0)]
    # 300 state transitions at 0.000025 USD, 100 calls of half a GB-second and one request each.
    assert ledger.orchestration_usd == pytest.approx(0.0075 + 100 * (0.0000133334 / 2 + 0.0000002), abs=1e-6)
    assert ledger.total_usd == pytest.approx(4.5 + ledger.orchestration_usd, abs=1e-4)
    assert ledger.estimate


def test_capacity_that_was_never_there_costs_nothing() -> None:
    ledger = ledger_of(facts(**{"attempt.1.diagnosis": {"cause": "CAPACITY"}}), NOW)
    assert (ledger.attempts[0].instance_hours, ledger.attempts[0].usd) == (0.0, 0.0)


def test_nothing_started_has_no_price() -> None:
    assert ledger_of({"attempt_count": 1, "attempt.1.plan": {"cost_per_hour_usd": 3.0}}, NOW).total_usd is None


def test_an_endpoint_that_was_there_before_is_counted_from_this_deployment_on() -> None:
    ledger = ledger_of(facts(created_at="2026-11-24T11:30:00+00:00"), NOW)
    assert ledger.attempts[1].instance_hours == 1.0
