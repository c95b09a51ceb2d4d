"""The ledger: instance-hours, orchestration and money of a deployment at list price; an estimate, not a bill."""

from __future__ import annotations

import functools
import json
from datetime import datetime
from importlib import resources
from typing import Any

from inservice.contracts import Ledger, LedgerEntry

# A call of a function is mostly a task, a choice and a wait: three state transitions.
_TRANSITIONS_PER_CALL = 3
# The functions' memory in the template, and what a call of them takes with its waits for AWS.
_GIGABYTES, _SECONDS_PER_CALL = 0.5, 1.0


def ledger_of(facts: dict[str, Any], now: datetime) -> Ledger:
    """The ledger as the journal tells it; `now` ends the account of an attempt that is still under way."""
    count = int(facts.get("attempt_count") or 0)
    entries = tuple(_entry(number, facts, now) for number in range(1, count + 1))
    calls = int(facts.get("calls") or 0)
    known = [entry.usd for entry in entries if entry.usd is not None]
    orchestration = round(calls * _call_usd(), 6)
    return Ledger(
        attempts=entries,
        instance_hours=round(sum(entry.instance_hours for entry in entries), 4),
        state_transitions=calls * _TRANSITIONS_PER_CALL,
        orchestration_usd=orchestration,
        total_usd=round(sum(known) + orchestration, 4) if known else None,
    )


def _entry(number: int, facts: dict[str, Any], now: datetime) -> LedgerEntry:
    """One attempt, from its start to its end; capacity that was never there is not billed."""
    plan = facts.get(f"attempt.{number}.plan") or {}
    hours = _hours(number, facts, now)
    hourly = plan.get("cost_per_hour_usd")
    usd = round(hourly * hours, 4) if hourly is not None and f"attempt.{number}.started_at" in facts else None
    asked = {**(facts.get("request") or {}), **(facts.get(f"attempt.{number}.changes") or {})}
    return LedgerEntry(number=number, instance_hours=round(hours * int(asked.get("instance_count", 1)), 4), usd=usd)


def _hours(number: int, facts: dict[str, Any], now: datetime) -> float:
    started = facts.get(f"attempt.{number}.started_at")
    diagnosis = facts.get(f"attempt.{number}.diagnosis") or {}
    if started is None or diagnosis.get("cause") == "CAPACITY":
        return 0.0
    ended = facts.get(f"attempt.{number}.ended_at")
    until = datetime.fromisoformat(ended) if ended else now
    # An endpoint that ran this configuration already has been there for longer than this deployment.
    since = max(datetime.fromisoformat(at) for at in (started, facts.get("created_at")) if at)
    return max(0.0, (until - since).total_seconds()) / 3600


@functools.cache
def _call_usd() -> float:
    prices = json.loads((resources.files("inservice") / "data/prices.json").read_text())
    function = prices["lambda_request_usd"] + prices["lambda_gb_second_usd"] * _GIGABYTES * _SECONDS_PER_CALL
    return float(_TRANSITIONS_PER_CALL * prices["state_transition_usd"] + function)
