"""The order of the tests, and the functions' modules, loaded as Lambda loads them: each from its own folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SLOWEST_FIRST = ("chaos", "workflow", "embedded", "browser", "simulator")
FUNCTIONS = Path(__file__).parents[1] / "functions"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The stories that wait for a stack come first, so that workers end together."""
    items.sort(key=lambda item: _rank(item.path.parent.name))


def _rank(folder: str) -> int:
    return SLOWEST_FIRST.index(folder) if folder in SLOWEST_FIRST else len(SLOWEST_FIRST)


@pytest.fixture(scope="session")
def app() -> Callable[[str], ModuleType]:
    """A function's module by its folder's name."""

    def load(folder: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"function_{folder}", FUNCTIONS / folder / "app.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        # On AWS the function's folder is where imports are looked for.
        sys.path.insert(0, str(FUNCTIONS / folder))
        try:
            spec.loader.exec_module(module)
        finally:
            sys.path.remove(str(FUNCTIONS / folder))
        return module

    return load
