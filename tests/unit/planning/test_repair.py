"""A second chance: granted, left, new, and accepted by the planner; otherwise none."""

from __future__ import annotations

from typing import Any

import pytest
from inservice.contracts import DeploymentRequest, Diagnosis, Remedy
from inservice.planning.repair import checked, repaired

REQUEST = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge", "server": "vllm"}


def request(**fields: Any) -> DeploymentRequest:
    return DeploymentRequest.model_validate({**REQUEST, **fields})


def found(changes: dict[str, Any], allow: Any = "timeouts", automatic: bool = True) -> Diagnosis:
    remedy = Remedy(automatic=automatic, allow=allow, changes=changes, explanation="Give it more time.")
    return Diagnosis(cause="STARTUP_TIMEOUT", confidence=0.9, summary="late", evidence=("…",), remedy=remedy)


LONGER = {"health_check_timeout_seconds": 1800}


def test_a_granted_remedy_makes_the_next_request() -> None:
    again = repaired(request(), found(LONGER), tried=()).request
    assert again is not None
    assert again.health_check_timeout_seconds == 1800


@pytest.mark.parametrize(
    ("given", "diagnosis", "tried"),
    [
        (request(repair={"max_attempts": 0}), found(LONGER), ()),
        (request(repair={"allow": ["tokens"]}), found(LONGER), ()),
        (request(), found({"instance_type": "ml.g5.12xlarge"}, "instance"), ()),
        (request(), found(LONGER, automatic=False), ()),
        (request(repair={"max_attempts": 3}), found(LONGER), (LONGER,)),
        (request(), found({"health_check_timeout_seconds": 9999}), ()),
        (request(), found({"max_total_tokens": 4_000_000}, "tokens"), ()),
    ],
    ids=["none left", "not granted", "costs money", "not automatic", "tried before", "out of range", "refused"],
)
def test_no_second_chance(given: DeploymentRequest, diagnosis: Diagnosis, tried: tuple[dict[str, Any], ...]) -> None:
    assert repaired(given, diagnosis, tried=tried).request is None


def test_a_remedy_the_planner_refuses_is_not_offered_as_automatic() -> None:
    refused = checked(request(), found({"max_total_tokens": 4_000_000}, "tokens")).remedy
    assert refused is not None
    assert not refused.automatic
    assert "planner refuses" in refused.explanation
    assert checked(request(), found(LONGER)) == found(LONGER)


def test_a_remedy_that_the_request_has_already_is_left_to_people() -> None:
    already = checked(request(), found({"image_uri": None, "server_version": None}, "image")).remedy
    assert already is not None
    assert (already.automatic, already.changes, already.explanation) == (False, {}, "Give it more time.")
    pinned = request(server_version="0.29.0")
    assert checked(pinned, found({"image_uri": None, "server_version": None}, "image")).remedy.automatic
