"""The other channels: e-mail, Amazon Q Developer, the SNS message they share, and the page's link."""

from __future__ import annotations

import base64
import json
import re
import zlib
from datetime import timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from inservice.contracts import Cause, Finding, Outcome, Phase, TimelineEntry
from inservice.publishing import page, words
from inservice.publishing.chatbot import chatbot_message
from inservice.publishing.email import email_text
from inservice.publishing.slack import slack_message
from inservice.publishing.topic import sns_message

from tests.unit.publishing import outcomes
from tests.unit.publishing.hostile_text import hostile

each = pytest.mark.parametrize("kind", outcomes.EVERY_KIND, ids=lambda kind: kind.__name__)


def test_every_cause_and_phase_has_words() -> None:
    assert set(words.CAUSE_IN_WORDS) == set(get_args(Cause))
    assert set(words.PHASE_IN_WORDS) == set(get_args(Phase))


def test_a_letter_tells_the_whole_story_without_markup() -> None:
    letter = email_text(outcomes.not_deployed())
    assert letter.startswith("llama-3-8b-chat was not deployed: the KV cache does not fit the GPU\n")
    for told in ("Cause: GPU_OOM_KV_CACHE (97% sure)", "  ValueError: The model's max seq len (32768)",
                 "Fix: Ask for no more tokens than the cache holds. Set max_total_tokens = 12000.",
                 "Attempt 1 (tgi 3.3.6 on ml.g5.2xlarge): the KV cache does not fit the GPU. Next try: ",
                 "36 min", "Log: https://"):  # fmt: skip
        assert told in letter


def test_a_letter_about_success_raises_no_alarm() -> None:
    letter = email_text(outcomes.repaired())
    assert letter.startswith("llama-3-8b-chat is InService after 2 attempts\n")
    assert "Fix:" not in letter
    assert "$1.515 per hour from now on" in letter


@each
def test_the_custom_notification_has_the_published_shape(kind: Any) -> None:
    told = chatbot_message(kind())
    assert (told["version"], told["source"], told["content"]["textType"]) == ("1.0", "custom", "client-markdown")
    assert told["metadata"]["threadId"] == "dep-1"
    assert 1 <= len(told["content"]["title"]) <= 250
    assert 1 <= len(told["content"]["description"]) <= 8000
    assert all(1 <= len(step) <= 300 for step in told["content"].get("nextSteps", ["-"]))
    assert all(isinstance(value, str) for value in told["metadata"]["additionalContext"].values())


@each
def test_one_message_serves_functions_letters_and_chat(kind: Any) -> None:
    outcome = kind()
    sent = sns_message(outcome)
    bodies = json.loads(sent.message)
    assert Outcome.model_validate_json(bodies["default"]) == outcome
    assert bodies["email"] == email_text(outcome)
    assert json.loads(bodies["https"]) == chatbot_message(outcome)
    assert set(sent.attributes) == {"status", "endpoint_name", "cause"}
    assert all(sent.attributes.values())
    assert sent.subject.isascii()
    assert 0 < len(sent.subject) < 100
    assert "\n" not in sent.subject


def test_a_message_larger_than_sns_takes_loses_history_before_news() -> None:
    failed = outcomes.not_deployed()
    entry = TimelineEntry(at=outcomes.START, phase="load", detail='"progress" ' * 100)
    long = tuple(entry.model_copy(update={"at": entry.at + timedelta(seconds=i)}) for i in range(2000))
    sent = sns_message(failed.model_copy(update={"timeline": long}))
    assert len(sent.message.encode()) < 256 * 1024
    kept = Outcome.model_validate_json(json.loads(sent.message)["default"])
    assert kept.diagnosis == failed.diagnosis
    assert kept.timeline[-1].at == long[-1].at


def test_the_pages_link_carries_the_deployment_itself() -> None:
    outcome = outcomes.not_deployed()
    made = page.link("https://api.example/v1/page", outcome)
    assert Outcome.model_validate(_carried(made)) == outcome


def test_a_link_too_long_for_slack_leaves_out_what_the_page_does_not_draw() -> None:
    plan = outcomes.PLAN.model_copy(update={"environment": {f"NAME_{n}": f"{n * 7919 % 65536:x}" for n in range(900)}})
    made = page.link("https://x/page", outcomes.not_deployed().model_copy(update={"plan": plan}))
    assert len(made) <= page.FITS_SLACK
    carried = _carried(made)
    assert "environment" not in carried["plan"]
    assert carried["diagnosis"] == outcomes.OUT_OF_MEMORY.as_json()


def test_a_link_too_long_all_the_same_names_the_deployment() -> None:
    assert page.link("https://x/page", outcomes.deployed(), longest=80) == "https://x/page#id=dep-1"


def _carried(link: str) -> Any:
    packed = link.partition("#d=")[2]
    return json.loads(zlib.decompress(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), -zlib.MAX_WBITS))


def test_a_duration_reads_as_people_say_it() -> None:
    spans = [words.duration_in_words(timedelta(seconds=seconds)) for seconds in (0, 59.6, 250, 3900)]
    assert spans == ["0 s", "1 min", "4 min 10 s", "1 h 5 min"]


def test_what_was_stopped_is_not_called_unknown() -> None:
    stopped = outcomes.not_deployed().model_copy(update={"diagnosis": None})
    assert words.headline(stopped) == "llama-3-8b-chat was not deployed"


def test_the_headline_has_no_log_text_in_it() -> None:
    failed = outcomes.not_deployed()
    hostile = failed.diagnosis.model_copy(update={"summary": "<!here>", "evidence": ("<!here>",)})  # type: ignore[union-attr]
    assert slack_message(failed.model_copy(update={"diagnosis": hostile}))["text"] == slack_message(failed)["text"]


@given(text=hostile)
def test_no_text_breaks_a_letter_or_a_custom_notification(text: str) -> None:
    finding = Finding(severity="error", code="X_1", field=text, message=text, fix=text)
    diagnosis = outcomes.OUT_OF_MEMORY.model_copy(update={"summary": text, "evidence": (text,) * 9})
    failed = outcomes.not_deployed().model_copy(
        update={"diagnosis": diagnosis, "findings": (finding,) * 9, "links": {"page": "https://x/#" + text}}
    )
    content = chatbot_message(failed)["content"]
    assert 1 <= len(content["title"]) <= 250
    assert 1 <= len(content["description"]) <= 8000
    assert len(content["nextSteps"]) <= 5
    assert not re.search(r"<!|<@|@(here|channel|everyone)", json.dumps(content), re.IGNORECASE)
    assert content["description"].count("```") in (0, 2)
    assert "\x1b" not in email_text(failed)
    assert "\u202e" not in email_text(failed)
