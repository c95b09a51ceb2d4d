"""The data files, read once."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent.parent / "data"


@functools.cache
def table(name: str) -> dict[str, Any]:
    """One data file by its name without `.json`."""
    return json.loads((_FOLDER / f"{name}.json").read_text())
