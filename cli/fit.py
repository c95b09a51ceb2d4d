"""`inservice fit`: one measured point a line in, one answer a line out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from inservice.planning.fit import fit_point


def run(path: str, out: TextIO) -> int:
    """Answers every line in order; a line that cannot be read gets an answer with `error`."""
    with Path(path).open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if not line.strip():
                continue
            try:
                answer = fit_point(json.loads(line))
            except ValueError as problem:
                answer = {"id": None, "error": f"this line is not JSON: {problem}"}
            print(json.dumps(answer), file=out, flush=True)
    return 0
