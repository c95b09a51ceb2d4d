"""The patterns themselves: each can be reached through its literal, and none is slow on any text around it."""

from __future__ import annotations

import time

import pytest
from inservice.diagnosis import diagnose
from inservice.diagnosis.failures import LOG_FAILURES, REASON_FAILURES
from inservice.diagnosis.failures.failure import Failure

KNOWN = [*LOG_FAILURES, *REASON_FAILURES]
FILLERS = ("a ", " ", "weight.", "error not ", "xxx", "('", "::", "1, ")


@pytest.mark.parametrize("failure", KNOWN, ids=lambda failure: failure.key)
def test_no_pattern_backtracks(failure: Failure) -> None:
    for sign in failure.signs:
        for pattern in filter(None, (sign.pattern, sign.unless)):
            for filler in (*FILLERS, f"{sign.literal} "):
                text = (filler * 400)[-400:] + sign.literal + (filler * 900)[:900]
                began = time.process_time()
                pattern.search(text)
                assert time.process_time() - began < 0.1, (sign.literal, filler)


def test_literals_are_lower_case_and_keys_are_unique() -> None:
    assert all(sign.literal == sign.literal.lower() and sign.literal for failure in KNOWN for sign in failure.signs)
    keys = [failure.key for failure in KNOWN]
    assert len(keys) == len(set(keys))


# Where one traceback is drawn as a box, every line of the log is looked at as a part of one.
BOX = "╭─ Traceback (most recent call last) ─╮\n"


@pytest.mark.parametrize("filler", [*FILLERS, "a", "a.", "File ", "╭" + "─" * 2999, "│ ", "❱ 1 │"])
def test_long_lines_are_read_in_linear_time(filler: str) -> None:
    """What surrounds a sign is read too: levels, prefixes, warnings and tracebacks before it."""
    log = BOX + "\n".join([(filler * 3000)[:3000] + " error: please install"] * 300)
    began = time.process_time()
    diagnose(failure_reason=None, log=log)
    assert time.process_time() - began < 1.5, filler
