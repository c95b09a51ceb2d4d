"""Two hundred random sequences of requests, faults and stops: the truth is told, one owner, nothing left behind."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from inservice.contracts import RUNNING

from tests.chaos import truth
from tests.chaos.mischief import FAULTS, Mischief
from tests.workflow.caller import Caller
from tests.workflow.leftovers import leftovers

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]

_SEQUENCES, _LANES, _STEPS = 200, 6, 6
_QWEN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge", "server": "vllm"}
_ONCE = {"repair": {"max_attempts": 0}}
_SHORT = {"health_check_timeout_seconds": 120, "force": True}
REQUESTS: dict[str, dict[str, Any]] = {
    "good": _QWEN,
    "smaller": {**_QWEN, "max_total_tokens": 2048},
    "canary": {**_QWEN, "max_total_tokens": 3072, "update": {"strategy": "canary"}},
    "too short": {**_QWEN, **_SHORT, **_ONCE},
    "repaired": {**_QWEN, **_SHORT},
    "gated": {
        "model": {"hub_id": "meta-llama/Meta-Llama-3-8B-Instruct"},
        "instance_type": "ml.g5.2xlarge",
        "force": True,
    },
    "too large": {**_QWEN, **_ONCE, "model": {"hub_id": "Qwen/Qwen2.5-32B-Instruct"}, "force": True},
}


class Sequence(RuleBasedStateMachine):
    """One endpoint, and what people, AWS and chance do to it; the end asks for the truth."""

    caller: Caller
    mischief: Mischief
    numbers: Iterator[int]

    def __init__(self) -> None:
        super().__init__()
        self.name = f"chaos-{next(self.numbers):04d}"
        self.ids: list[str] = []
        self.killed: set[str] = set()
        self.deleted_by_hand = False

    @initialize(kind=st.sampled_from(sorted(REQUESTS)), fault=st.none() | st.sampled_from(sorted(FAULTS)))
    def begin(self, kind: str, fault: str | None) -> None:
        """Every sequence has a deployment, some of them an endpoint with which something is wrong."""
        if fault:
            self.go_wrong(fault)
        self.deploy(kind)

    @rule(kind=st.sampled_from(sorted(REQUESTS)))
    def deploy(self, kind: str) -> None:
        self._heard(*self.caller.call("POST", "/deployments", {**REQUESTS[kind], "endpoint_name": self.name}))

    @rule(kind=st.sampled_from(sorted(REQUESTS)))
    def deploy_twice_at_once(self, kind: str) -> None:
        """The same event, delivered twice: by two callers at the same moment."""
        wish = {**REQUESTS[kind], "endpoint_name": self.name, "request_id": f"{self.name}-{len(self.ids)}"}
        with ThreadPoolExecutor(2) as both:
            answers = list(both.map(lambda _: self.caller.call("POST", "/deployments", wish), range(2)))
        for answer in answers:
            self._heard(*answer)
        assert len({answer["deployment_id"] for status, answer in answers if status == 202}) <= 1

    @precondition(lambda self: self.ids)
    @rule()
    def stop(self) -> None:
        status, _ = self.caller.call("DELETE", f"/deployments/{self.ids[-1]}")
        assert status in (200, 202)
        self.killed |= {self.ids[-1]} if status == 202 else set()

    @precondition(lambda self: self.ids)
    @rule()
    def kill_the_execution(self) -> None:
        arn = self.caller.stack.execution_arn(self.ids[-1])
        try:
            self.caller.stack.client("stepfunctions").stop_execution(
                executionArn=arn, error="Killed", cause="by chance"
            )
        except ClientError:
            return
        self.killed.add(self.ids[-1])

    @rule()
    def delete_the_endpoint(self) -> None:
        try:
            self.caller.stack.client("sagemaker").delete_endpoint(EndpointName=self.name)
        except ClientError:
            return
        self.deleted_by_hand = True

    @rule(fault=st.sampled_from(sorted(FAULTS)))
    def go_wrong(self, fault: str) -> None:
        self.mischief.begin(self.name, fault)

    @rule()
    def heal(self) -> None:
        self.mischief.heal(self.name)

    @precondition(lambda self: self.ids)
    @rule()
    def let_it_go_on(self) -> None:
        """Until it is in another phase, or has ended."""
        seen = self.caller.call("GET", f"/deployments/{self.ids[-1]}")[1]
        if seen["status"] in RUNNING:
            self.caller.until(self.ids[-1], lambda now: now["status"] not in RUNNING or now["phase"] != seen["phase"])

    @precondition(lambda self: self.ids)
    @rule()
    def let_it_end(self) -> None:
        self.caller.execution(self.ids[-1])
        self.caller.outcome(self.ids[-1])

    @precondition(lambda self: len(self.ids) > 1)
    @invariant()
    def only_one_is_running(self) -> None:
        statuses = [self.caller.call("GET", f"/deployments/{one}")[1]["status"] for one in reversed(self.ids)]
        assert sum(status in RUNNING for status in statuses) <= 1

    def teardown(self) -> None:
        self.mischief.heal(self.name)
        outcomes = truth.ended(self.caller, self.ids)
        truth.assert_statuses_are_true(self.caller, outcomes, self.killed)
        truth.assert_the_endpoint_is_the_last_deployed(
            self.caller, self.name, outcomes, deleted_by_hand=self.deleted_by_hand
        )
        truth.assert_each_was_told_once(self.caller, self.name, outcomes)
        truth.assert_the_endpoint_is_free(self.caller, self.name)
        self.delete_the_endpoint()

    def _heard(self, status: int, answer: dict[str, Any]) -> None:
        assert status in (202, 409), answer
        if status == 202 and answer["deployment_id"] not in self.ids:
            self.ids.append(answer["deployment_id"])


@pytest.mark.usefixtures("one_parse_at_a_time")
def test_two_hundred_random_sequences_end_truthfully_and_leave_nothing(caller: Caller) -> None:
    caller.faults(quota={"ml.g5.2xlarge": 500}, events={"copies": 2}, lag_seconds=5)
    mischief, numbers = Mischief(caller), itertools.count(1)
    with ThreadPoolExecutor(_LANES) as lanes:
        ended = [lanes.submit(_lane, number, caller, mischief, numbers) for number in range(_LANES)]
    if found := [error for lane in ended if isinstance(error := lane.exception(), Exception)]:
        raise ExceptionGroup("what the sequences found", found)
    assert leftovers(caller.stack, caller.settled()) == []


def _lane(number: int, caller: Caller, mischief: Mischief, numbers: Iterator[int]) -> None:
    """One thread's share of the sequences, always the same ones; what they meet differs with the machine's pace."""
    machine = type(f"Sequence{number}", (Sequence,), {"caller": caller, "mischief": mischief, "numbers": numbers})
    share = settings(
        max_examples=-(-_SEQUENCES // _LANES), stateful_step_count=_STEPS, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    run_state_machine_as_test(seed(number)(machine), settings=share)
