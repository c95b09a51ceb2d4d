"""`inservice diagnose`: one line in, one line out; and a page for people."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cli.diagnose import run
from cli.problems import Unusable

LOG = "INFO starting\nModuleNotFoundError: No module named 'einops'\nError: ShardCannotStart\n"


def test_each_line_is_answered_in_order_and_bad_ones_with_an_error(tmp_path: Path) -> None:
    source = tmp_path / "cases.jsonl"
    source.write_text('{"id": "a", "log": null}\nnot json\n' + json.dumps({"id": "c", "log": LOG}) + "\n")
    out = io.StringIO()
    assert run(str(source), json_output=False, out=out) == 0
    first, second, third = (json.loads(line) for line in out.getvalue().splitlines())
    assert first["cause"] == "UNKNOWN"
    assert "error" in second
    assert (third["id"], third["cause"]) == ("c", "MISSING_DEPENDENCY")
    assert set(third) == {"id", "cause", "confidence", "summary", "evidence", "remedy"}


def test_people_get_the_cause_first_then_the_proof_then_the_fix(tmp_path: Path) -> None:
    source = tmp_path / "container.log"
    source.write_text(LOG)
    out = io.StringIO()
    assert run(str(source), json_output=False, out=out) == 0
    page = out.getvalue()
    assert page.startswith("MISSING_DEPENDENCY")
    assert page.index("einops") < page.index("Fix")


def test_a_log_at_hand_needs_no_file() -> None:
    out = io.StringIO()
    assert run("my-endpoint", json_output=True, log_text=LOG, failure_reason=None, out=out) == 0
    assert json.loads(out.getvalue())["cause"] == "MISSING_DEPENDENCY"


def test_a_missing_file_is_exit_2(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"none\.log cannot be read") as problem:
        run(str(tmp_path / "none.log"), json_output=False, out=io.StringIO())
    assert problem.value.exit_status == 2
