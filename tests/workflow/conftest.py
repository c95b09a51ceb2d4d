"""One embedded stack for all of these stories, 60 times faster."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from embedded.stack import Stack, running
from tests.workflow.caller import Caller
from tests.workflow.issuer import Issuer
from tests.workflow.leftovers import leftovers

EVENTS = Path(__file__).parents[2] / "events"


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """An OIDC issuer on loopback that signs what it is told to."""
    with Issuer() as started:
        yield started


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, issuer: Issuer) -> Iterator[Stack]:
    """The whole template: all three doors, and one web origin."""
    parameters = {"JwtIssuer": issuer.url, "ApiKeys": "on", "CorsOrigin": "https://ops.example.com"}
    with running(time_scale=60, directory=tmp_path_factory.mktemp("stack"), parameters=parameters) as started:
        yield started


@pytest.fixture(scope="session")
def caller(stack: Stack) -> Caller:
    return Caller(stack)


@pytest.fixture(autouse=True)
def nothing_left_behind(caller: Caller) -> Iterator[None]:
    """After every story SageMaker holds what deployments account for, and nothing else; no fault stays in force."""
    # The live endpoints of earlier stories count against the quota as on AWS; only its own story is to meet it.
    caller.faults(quota={"ml.g5.2xlarge": 500})
    yield
    caller.faults(errors=[], denied=[], capacity={}, quota={}, status={}, alarms={}, events={}, logs={}, replay=[])
    assert leftovers(caller.stack, caller.settled()) == []


@pytest.fixture
def sample() -> Any:
    """A sample event by name, with fields replaced."""

    def read(name: str, **fields: Any) -> dict[str, Any]:
        return {**json.loads((EVENTS / f"{name}.json").read_text()), **fields}

    return read
