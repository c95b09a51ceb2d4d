"""`inservice fit`: one measured point a line in, one answer a line out."""

from __future__ import annotations

import json
from typing import TextIO

from inservice.planning.fit import fit_point

from cli.reading import lines_of


def run(path: str, out: TextIO) -> int:
    """Answers every line in order; a line that cannot be read gets an answer with `error`. Raises Unusable."""
    for line in lines_of(path, "a .jsonl of measured points"):
        try:
            answer = fit_point(json.loads(line))
        except (ValueError, RecursionError) as problem:
            answer = {"id": None, "error": f"this line is not JSON: {problem}"}
        print(json.dumps(answer), file=out, flush=True)
    return 0
