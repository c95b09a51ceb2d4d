"""The timeline page in a real browser: a live success, a live failure, a link, a file, and nobody left out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from inservice.publishing import page as timeline
from playwright.sync_api import expect

from tests.unit.publishing import outcomes

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FILE = (Path(__file__).parents[2] / "web" / "index.html").as_uri()


def test_a_live_success_is_told_without_a_reload(window: Any, api: Any) -> None:
    api.story = [outcomes.in_progress(), outcomes.in_progress(), outcomes.deployed()]
    window.page.goto(f"{api.url}#id=dep-1")
    expect(window.page.locator(".status")).to_have_text("In progress")
    expect(window.page.get_by_role("progressbar")).to_have_attribute("value", "0.5")
    window.picture("live-success-1-in-progress")
    expect(window.page.locator(".status")).to_have_text("InService")
    expect(window.page.get_by_role("status")).to_contain_text("llama-3-8b-chat: InService")
    expect(window.page.get_by_role("progressbar")).to_have_count(0)
    window.picture("live-success-2-in-service")
    assert window.complaints == []
    assert api.looks == 3


def test_a_live_failure_shows_the_verdict_before_the_window_ends(window: Any, api: Any) -> None:
    api.story = [outcomes.in_progress(), outcomes.losing(), outcomes.not_deployed()]
    window.page.goto(f"{api.url}#id=dep-1")
    expect(window.page.locator(".status")).to_have_text("Will not start")
    expect(window.page.locator("pre")).to_contain_text("max seq len (32768)")
    verdict, ends = _right_of(window, ".verdict"), _right_of(window, ".window")
    assert verdict < ends / 2
    window.picture("live-failure-1-losing")
    expect(window.page.locator(".status")).to_have_text("Not deployed")
    expect(window.page.get_by_role("heading", name="Attempt")).to_have_count(2)
    lane = window.page.get_by_role("img", name="Attempt 1")
    expect(lane).to_have_attribute("aria-label", "Attempt 1: queued 4 s, waiting for an instance 2 min 6 s, "
        "loading the weights 12 s, finding the cause 14 min 28 s, cleaning up 1 min 10 s; verdict after 2 min 22 s, "
        "14 min 48 s before the window ends; the start-up window ends after 17 min 10 s")  # fmt: skip
    expect(window.page.get_by_text("Fix: Ask for no more tokens")).to_be_visible()
    expect(window.page.get_by_text("$0.92")).to_be_visible()
    window.picture("live-failure-2-not-deployed")
    assert window.complaints == []


def test_a_start_that_was_lost_early_is_shown_as_waiting_and_its_log_without_colours(window: Any) -> None:
    window.page.goto(timeline.link(FILE, outcomes.lost_early()))
    lane = window.page.get_by_role("img", name="Attempt 1")
    expect(lane).to_have_attribute("aria-label", "Attempt 1: queued 15 s, waiting for an instance 4 min 21 s, "
        "starting the container 10 s, lost, waiting until SageMaker lets go 16 min 7 s, finding the cause 1 min 13 s, "
        "cleaning up 1 min 54 s; verdict after 4 min 46 s, 14 min 50 s before the window ends; "
        "the start-up window ends after 19 min 36 s")  # fmt: skip
    expect(window.page.locator("pre")).to_have_text("2026-03-02T09:04:36Z ERROR Cannot access gated repo")
    window.picture("lost-early")
    assert window.complaints == []


def test_a_link_that_carries_the_data_asks_nobody(window: Any) -> None:
    window.page.goto(timeline.link(FILE, outcomes.repaired()))
    expect(window.page.locator(".status")).to_have_text("InService")
    assert [address for address in window.asked if not address.startswith(("file:", "data:"))] == []
    assert window.complaints == []


def test_the_page_makes_such_a_link_itself(window: Any, api: Any) -> None:
    api.story = [outcomes.not_deployed()]
    window.page.goto(f"{api.url}#id=dep-1")
    link = window.page.get_by_role("link", name="Link that carries this data")
    expect(link).to_have_attribute("href", re.compile("^#d="))
    window.page.goto(FILE + link.get_attribute("href"))
    expect(window.page.locator(".status")).to_have_text("Not deployed")
    assert window.complaints == []


def test_a_file_and_pasted_text_are_drawn(window: Any) -> None:
    window.page.goto(FILE)
    text = json.dumps(outcomes.refused().as_json())
    window.page.get_by_label("A file written by").set_input_files(
        {"name": "status.json", "mimeType": "application/json", "buffer": text.encode()}
    )
    expect(window.page.locator(".findings li")).to_have_count(3)
    window.page.get_by_role("link", name="Open a file").click()
    window.page.get_by_label("Or paste the JSON").fill(text)
    window.page.get_by_role("button", name="Show it").click()
    expect(window.page.locator(".status")).to_have_text("Refused")
    assert window.complaints == []


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"deployment_id": "x"}', '{"deployments": [null]}'])
def test_what_is_no_deployment_is_said_to_be_none(window: Any, text: str) -> None:
    window.page.goto(FILE)
    window.page.get_by_label("Or paste the JSON").fill(text)
    window.page.get_by_role("button", name="Show it").click()
    expect(window.page.get_by_role("status")).to_contain_text("That cannot be read")
    assert window.complaints == []


def test_a_deployment_of_which_little_is_known_is_drawn_all_the_same(window: Any) -> None:
    little = {
        "deployment_id": "d",
        "endpoint_name": "e",
        "status": "IN_PROGRESS",
        "phase": "a phase of a later version",
    }
    odd = {**little, "timeline": [{"at": "2026-03-02T09:00:00Z", "phase": "later", "detail": "x"}], "plan": None}
    for document in (little, odd):
        window.page.goto(f"{FILE}#d={timeline.fragment(document)}")
        expect(window.page.locator(".status")).to_have_text("In progress")
        window.page.goto("about:blank")
    assert window.complaints == []


def test_a_carried_deployment_is_shown_where_the_api_does_not_answer(window: Any, api: Any) -> None:
    api.status = 403
    window.page.goto(timeline.link(api.url, outcomes.not_deployed()))
    expect(window.page.locator(".status")).to_have_text("Not deployed")
    window.page.goto(f"{api.url}#id=dep-1")
    expect(window.page.locator(".status")).to_have_text("Not deployed")


@pytest.mark.parametrize("broken", ["d=%%%", "d=AAAA", "d="])
def test_a_broken_link_says_so(window: Any, broken: str) -> None:
    window.page.goto(f"{FILE}#{broken}")
    expect(window.page.locator("p.error")).to_contain_text("cannot be read")
    assert window.complaints == []


def test_the_list_is_walked_by_keyboard_alone(window: Any, api: Any) -> None:
    named = [outcomes.deployed().model_copy(update={"deployment_id": f"dep-{n}"}) for n in range(1, 4)]
    api.listed, api.story = named, [outcomes.not_deployed()]
    window.page.goto(api.url)
    expect(window.page.locator("tbody tr")).to_have_count(2)
    window.page.get_by_role("button", name="Older deployments").focus()
    window.page.keyboard.press("Enter")
    expect(window.page.locator("tbody tr")).to_have_count(3)
    window.picture("list")
    assert window.page.evaluate("document.activeElement.hash") == "#id=dep-3"
    window.page.keyboard.press("Enter")
    expect(window.page.locator(".status")).to_have_text("Not deployed")
    assert window.page.evaluate("document.activeElement.id") == "title"
    window.page.go_back()
    expect(window.page.get_by_role("heading", name="Deployments")).to_be_visible()
    assert window.complaints == []


@pytest.mark.parametrize("address", ["", "#id=dep-1"])
def test_an_api_that_wants_signatures_is_explained(window: Any, api: Any, address: str) -> None:
    api.status = 403
    window.page.goto(api.url + address)
    expect(window.page.locator("p.error")).to_contain_text("inservice open")
    assert [text for text in window.complaints if "403" not in text] == []


def test_hostile_text_stays_text(window: Any) -> None:
    markup = "<img src=x onerror='window.owned = 1'><script>window.owned = 1</script>"
    diagnosis = outcomes.OUT_OF_MEMORY.model_copy(update={"summary": markup, "evidence": (markup,) * 3})
    links = {"page": "javascript:window.owned=1", "logs": "data:text/html,x", "endpoint": "https://example.com/"}
    outcome = outcomes.not_deployed().model_copy(
        update={"diagnosis": diagnosis, "links": links, "endpoint_name": markup, "deployment_id": markup}
    )
    window.page.goto(timeline.link(FILE, outcome))
    expect(window.page.get_by_role("heading", level=1)).to_have_text(markup)
    assert window.page.evaluate("window.owned") is None
    assert window.page.locator("main img, main script").count() == 0
    shown = window.page.locator(".links a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert [address for address in shown if not address.startswith("#d=")] == ["https://example.com/"]
    assert window.complaints == []


@pytest.mark.parametrize("kind", outcomes.EVERY_KIND, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_left_out(chromium: Any, kind: Any, scheme: str) -> None:
    """axe-core finds nothing, and a phone shows the page without scrolling sideways."""
    # axe has to be put into the page from outside, which the page's own policy rightly forbids.
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(timeline.link(FILE, kind()))
    expect(page.locator(".status")).to_be_visible()
    page.locator("summary").evaluate_all("all => all.forEach(summary => summary.click())")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _picture(page, f"phone-{kind.__name__}-{scheme}")
    assert _violations(page) == []
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nor_by_the_list_and_the_form(chromium: Any, api: Any, scheme: str) -> None:
    api.listed = [kind() for kind in outcomes.EVERY_KIND]
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    for address in (api.url, api.url + "#open"):
        page.goto(address)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.locator(".scroll").evaluate_all("all => all.every(it => it.scrollWidth <= it.clientWidth)")
        _picture(page, f"phone-{'form' if address.endswith('open') else 'list'}-{scheme}")
        assert _violations(page) == []
    context.close()


def _violations(page: Any) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run().then(result => result.violations)")
    return [f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}" for one in found]


def _right_of(window: Any, selector: str) -> float:
    box = window.page.locator(selector).first.bounding_box()
    return float(box["x"] + box["width"])


def _picture(page: Any, name: str) -> None:
    folder = Path(__file__).parent / "artefacts"
    folder.mkdir(exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
