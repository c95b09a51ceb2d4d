"""Slack messages: what they say, Slack's rules, and hostile log text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inservice.contracts import Attempt, Diagnosis, Finding, Outcome, Remedy
from inservice.publishing.slack import slack_message

from tests.unit.publishing import outcomes
from tests.unit.publishing.block_rules import broken_rules
from tests.unit.publishing.hostile_text import hostile

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("kind", outcomes.EVERY_KIND, ids=lambda kind: kind.__name__)
def test_the_message_is_the_one_that_was_read_and_approved(kind: Any) -> None:
    message = slack_message(kind())
    approved = json.loads((SNAPSHOTS / f"{kind.__name__}.json").read_text())
    assert message == approved
    assert broken_rules(message) == []


def test_the_first_line_says_what_happened_and_why() -> None:
    header = slack_message(outcomes.not_deployed())["blocks"][0]["text"]["text"]
    assert header == "❌ llama-3-8b-chat was not deployed: the KV cache does not fit the GPU"


def test_a_failure_shows_cause_proof_fix_attempts_duration_cost_and_links() -> None:
    message = slack_message(outcomes.not_deployed())
    text = json.dumps(message, ensure_ascii=False)
    for told in ("GPU_OOM_KV_CACHE", "max seq len (32768)", "max_total_tokens = 12000", "Attempt 2",
                 "2 attempts", "36 min", "about $0.92 (estimate at list price)", "|Timeline>", "|Log>",
                 "|Execution>"):  # fmt: skip
        assert told in text
    assert "a fourth line" not in text


def test_a_refusal_names_every_error_and_its_fix_but_no_warning() -> None:
    text = json.dumps(slack_message(outcomes.refused()))
    assert "2 problems in the request" in text
    assert "Take ml.p4d.24xlarge." in text
    assert "Raise it to 9216." in text
    assert "volume_size_gb" not in text


def test_a_log_line_cannot_leave_its_code_block() -> None:
    line = "done ``` <!channel> *free* ```` @here &lt;!here&gt;"
    message = slack_message(_failed(evidence=(line,)))
    block = next(b["text"]["text"] for b in message["blocks"] if "```" in json.dumps(b))
    assert block.startswith("```\n")
    assert block.endswith("\n```")
    assert "```" not in block[3:-3]
    assert "&lt;!channel&gt;" in block
    assert "@here" not in block
    assert "&amp;lt;!here&amp;gt;" in block


@given(text=hostile, changes=st.dictionaries(hostile, hostile | st.integers(), max_size=3))
def test_no_text_breaks_slacks_rules(text: str, changes: dict[str, Any]) -> None:
    failed = _failed(evidence=(text,) * 4, summary=text, explanation=text, changes=changes)
    finding = Finding(severity="error", code="X_1", field=text, message=text, fix=text)
    attempt = Attempt(number=1, plan=outcomes.PLAN, diagnosis=failed.diagnosis, changes=changes)
    story = {
        "attempts": (attempt,) * 7,
        "findings": (finding,) * 9,
        "links": {"page": "https://x/#" + text, "logs": text},
    }
    for status in ("NOT_DEPLOYED", "LOSING", "REFUSED", "DEPLOYED"):
        message = slack_message(failed.model_copy(update={**story, "status": status}))
        assert broken_rules(message) == []
        json.dumps(message, ensure_ascii=False).encode()


def _failed(
    *,
    evidence: tuple[str, ...],
    summary: str = "It failed.",
    explanation: str = "Change it.",
    changes: dict[str, Any] | None = None,
) -> Outcome:
    remedy = Remedy.model_construct(automatic=False, allow=None, changes=changes or {}, explanation=explanation)
    diagnosis = Diagnosis.model_construct(
        cause="CRASH_UNKNOWN", confidence=0.5, summary=summary, evidence=evidence, remedy=remedy
    )
    return outcomes.not_deployed().model_copy(update={"diagnosis": diagnosis})
