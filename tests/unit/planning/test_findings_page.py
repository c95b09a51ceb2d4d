"""The page of findings says what the planner says today."""

from __future__ import annotations

from pathlib import Path

from scripts.build_findings import PAGE, page


def test_the_page_is_what_the_source_makes() -> None:
    assert Path(PAGE).read_text(encoding="utf-8") == page()


def test_every_finding_has_words_and_a_fix() -> None:
    rows = [line.split(" | ") for line in page().splitlines() if line.startswith("| `")]
    assert len(rows) > 20
    assert all(row[3].strip() for row in rows)
