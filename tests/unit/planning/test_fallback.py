"""No capacity: the next named type, each once, without a grant; and never past the budget."""

from __future__ import annotations

from typing import Any

from inservice.contracts import DeploymentRequest, Diagnosis
from inservice.planning import plan_document
from inservice.planning.fallback import with_next_type
from inservice.planning.plan import plan_request
from inservice.planning.repair import repaired

SHORT = Diagnosis(cause="CAPACITY", confidence=0.97, summary="No instance.", evidence=("…",), remedy=None)
V100 = {"model": {"hub_id": "Qwen/Qwen2.5-3B-Instruct"}, "server": "tgi", "instance_type": "ml.p3.2xlarge"}


def request(**fields: Any) -> DeploymentRequest:
    return DeploymentRequest.model_validate({**V100, "force": True, "repair": {"max_attempts": 0}, **fields})


def next_type(given: DeploymentRequest) -> Diagnosis:
    return with_next_type(given, plan_request(given).plan, SHORT)


def test_a_type_with_another_disk_shares_no_pool_and_comes_after_it() -> None:
    given = request(fallback_instance_types=["ml.g5.2xlarge", "ml.g6.2xlarge"])
    planning = plan_request(given)
    assert planning.plan is not None
    assert planning.plan.instance_pools is None
    assert "FALLBACK_LATER" in {finding.code for finding in planning.findings}
    again = repaired(given, next_type(given), tried=()).request
    assert again is not None, "it was named by the user: no grant and no repair is needed"
    assert (again.instance_type, again.fallback_instance_types) == ("ml.g5.2xlarge", ("ml.g6.2xlarge",))
    pooled = plan_request(again).plan
    assert pooled is not None
    assert [pool.instance_type for pool in pooled.instance_pools or ()] == ["ml.g5.2xlarge", "ml.g6.2xlarge"]
    last = with_next_type(again, pooled, SHORT)
    assert last.remedy is None
    assert "no other named type is left" in last.summary


def test_a_next_type_does_not_use_up_a_repair() -> None:
    given = request(fallback_instance_types=["ml.g5.2xlarge"], repair={"max_attempts": 1})
    found = next_type(given)
    assert found.remedy is not None
    assert repaired(given, found, tried=({"health_check_timeout_seconds": 1800},)).request is not None


def test_a_next_type_past_the_budget_is_not_tried_and_says_so() -> None:
    given = request(fallback_instance_types=["ml.g5.2xlarge"], max_cost_usd=3.0)
    repair = repaired(given, next_type(given), tried=(), spent_usd=2.9)
    assert repair.request is None
    assert "max_cost_usd is 3.00" in (repair.why_not or "")
    assert repaired(given, next_type(given), tried=(), spent_usd=0.0).request is not None


def test_the_worst_case_counts_every_attempt_on_the_dearest_type() -> None:
    asked = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "server": "vllm", "instance_type": "ml.g5.2xlarge"}
    asked |= {"health_check_timeout_seconds": 1800, "download_timeout_seconds": 1800, "max_cost_usd": 4.0}

    def refused(**fields: Any) -> bool:
        return "TOO_EXPENSIVE" in {finding.code for finding in plan_document({**asked, **fields}).findings}

    # One hour at 1.515 USD for each attempt.
    assert not refused(repair={"max_attempts": 1})
    assert refused(repair={"max_attempts": 2})
    assert refused(repair={"max_attempts": 1}, fallback_instance_types=["ml.g5.12xlarge"])
