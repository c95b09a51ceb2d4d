"""Publish: the record is closed, the topic hears it once, and the endpoint is free for the next deployment."""

from __future__ import annotations

from typing import Any

from inservice.contracts import Diagnosis


def told(status: str, diagnosis: Any = None) -> dict[str, Any]:
    return {"deployment_id": "d-1", "status": status, "diagnosis": diagnosis, "remaining": []}


def test_twice_is_one_message_and_the_lock_is_released(
    app: Any, journal: Any, table: Any, live: Any, topic: Any
) -> None:
    table.lock("llama-3-8b-chat", "d-1", "hash", now=0, expires_at=9)
    ports = {"journal": journal, "deployments": table, "live": live, "announcements": topic}
    first, second = (app("publish").handler(told("DEPLOYED"), **ports) for _ in range(2))
    assert (first["status"], second["status"]) == ("DEPLOYED", "DEPLOYED")
    assert first["timeline"] == second["timeline"]
    assert len(topic.said) == 1
    assert topic.said[0]["status"] == "DEPLOYED"
    assert table.locks == {}
    assert live.get("llama-3-8b-chat").deployment_id == "d-1", "from here it can be deployed anew"


def test_the_early_verdict_leaves_the_deployment_running(
    app: Any, journal: Any, table: Any, live: Any, topic: Any
) -> None:
    table.lock("llama-3-8b-chat", "d-1", "hash", now=0, expires_at=9)
    lost = Diagnosis(cause="GATED_OR_AUTH", confidence=0.97, summary="no access", evidence=("403",), remedy=None)
    table.note("d-1", {"status": "LOSING", "diagnosis": lost.as_json()}, {})
    ports = {"journal": journal, "deployments": table, "live": live, "announcements": topic}
    assert app("publish").handler(told("LOSING", lost.as_json()), **ports)["status"] == "LOSING"
    assert table.locks
    app("publish").handler(told("NOT_DEPLOYED", lost.as_json()), **ports)
    assert [message["status"] for message in topic.said] == ["LOSING", "NOT_DEPLOYED"]
