"""The pictures: taken from a stack's API and Slack, here a small stack on loopback with known outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from inservice.publishing.slack import slack_message

from scripts.draw_slack import drawn
from scripts.take_pictures import take
from tests.unit.publishing import outcomes

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_every_kind_of_outcome_gets_its_picture(chromium: Any, api: Any, tmp_path: Path) -> None:
    api.listed = [outcomes.not_deployed()]
    api.story = [outcomes.not_deployed()]
    api.messages = [slack_message(outcomes.losing()), slack_message(outcomes.not_deployed())]
    base = api.url.removesuffix("/page")
    stack = {
        "api_url": base,
        "slack_url": base + "/slack",
        "region": "us-east-1",
        "access_key_id": "a",
        "secret_access_key": "b",
    }
    made = take(stack, tmp_path, chromium)
    assert {path.name for path in made} == {
        *(f"page-{name}-{window}.png" for name in ("list", "failed") for window in ("light", "dark", "phone")),
        "slack-failed.png",
        "slack-losing.png",
    }
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in made)


def test_a_drawn_message_reads_as_slack_shows_it(chromium: Any) -> None:
    page = chromium.new_page()
    page.set_content(drawn(slack_message(outcomes.not_deployed())))
    assert page.locator("h1").inner_text() == slack_message(outcomes.not_deployed())["text"]
    assert page.locator("pre").inner_text().splitlines() == list(outcomes.OUT_OF_MEMORY.evidence[:3])
    assert page.locator("a").all_inner_texts() == ["Timeline", "Log", "Execution", "Endpoint", "API"]
    assert page.locator("a").first.get_attribute("href") == outcomes.LINKS["page"]
    page.close()


def test_a_drawn_message_shows_log_text_and_runs_none_of_it(chromium: Any) -> None:
    hostile = "<script>document.title = 'owned'</script> & <b>bold</b>"
    diagnosis = outcomes.OUT_OF_MEMORY.model_copy(update={"summary": hostile, "evidence": (hostile,)})
    page = chromium.new_page()
    page.set_content(drawn(slack_message(outcomes.not_deployed().model_copy(update={"diagnosis": diagnosis}))))
    assert page.title() == ""
    assert page.locator("pre").inner_text() == hostile
    page.close()
