"""A stack of its own, 300 times faster: what happens here must disturb no other story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from embedded.stack import running
from tests.workflow.caller import Caller


@pytest.fixture(scope="session")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with running(time_scale=300, directory=tmp_path_factory.mktemp("chaos")) as stack:
        yield Caller(stack)
