"""The functions' modules, loaded as Lambda loads them: each from its own folder."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

FUNCTIONS = Path(__file__).parents[1] / "functions"


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
