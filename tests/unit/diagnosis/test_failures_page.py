"""docs/failures.md is generated; this notices when the data moved on without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_the_one_the_data_make() -> None:
    checked = subprocess.run([sys.executable, ROOT / "scripts" / "build_failures.py", "--check"], check=False)
    assert checked.returncode == 0, "run: python scripts/build_failures.py"
