"""The page's source: sealed, self-contained, and in the same words as the messages."""

from __future__ import annotations

import json
import re
from pathlib import Path

from inservice.publishing.words import PHASE_IN_WORDS

from scripts.seal_page import sealed

PAGE = (Path(__file__).parents[3] / "web" / "index.html").read_text()


def test_the_policy_allows_exactly_the_script_and_style_that_are_there() -> None:
    assert sealed(PAGE) == PAGE, "run scripts/seal_page.py"


def test_a_changed_script_breaks_the_seal() -> None:
    assert sealed(PAGE.replace('"use strict";', '"use strict"; void 0;')) != PAGE.replace(
        '"use strict";', '"use strict"; void 0;'
    )


def test_the_policy_starts_from_nothing() -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', PAGE)
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_nothing_is_fetched_from_elsewhere() -> None:
    assert re.findall(r"""(?:src|href)=["']?(?:https?:)?//""", PAGE) == []
    assert "@import" not in PAGE
    assert "url(" not in PAGE


def test_text_never_becomes_markup() -> None:
    for door in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser"):
        assert door not in PAGE


def test_phases_have_the_same_words_as_in_messages() -> None:
    (phases,) = re.findall(r"const PHASES = (\{.*?\});", PAGE, re.DOTALL)
    assert json.loads(phases) == PHASE_IN_WORDS
