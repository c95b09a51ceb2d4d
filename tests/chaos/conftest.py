"""A stack of its own, 300 times faster: what happens here must disturb no other story."""

from __future__ import annotations

import ast
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from embedded.stack import running
from tests.workflow.caller import Caller


@pytest.fixture(scope="session")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    with running(time_scale=300, directory=tmp_path_factory.mktemp("chaos")) as stack:
        yield Caller(stack)


@pytest.fixture
def one_parse_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """hypothesis parses sources in each lane; before 3.11.8 and 3.12.2 two threads must not (python/cpython#106905)."""
    alone, parse = threading.RLock(), ast.parse

    def parse_alone(*args: Any, **kwargs: Any) -> ast.AST:
        with alone:
            return parse(*args, **kwargs)

    monkeypatch.setattr(ast, "parse", parse_alone)
