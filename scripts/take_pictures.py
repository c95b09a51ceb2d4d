"""Takes the pictures of docs/pictures from a running stack: the page drawing real deployments, and Slack's messages.

TIME_SCALE=60 make up        # in another terminal
.venv/bin/python scripts/take_pictures.py --deploy events/api-llama3-8b.json --deploy a-request-that-fails.json
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from inservice.publishing.page import fragment
from playwright.sync_api import Browser, sync_playwright

from scripts.draw_slack import drawn

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "web" / "index.html"
FINAL = {"DEPLOYED", "NOT_DEPLOYED", "REFUSED"}
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
# name of the picture → width, height and colour scheme of the window
WINDOWS = {"light": (1000, 700, "light"), "dark": (1000, 700, "dark"), "phone": (390, 844, "light")}


def main() -> None:
    """Reads the arguments and takes every picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stack", type=Path, default=ROOT / ".embedded" / "stack.json")
    parser.add_argument("--into", type=Path, default=ROOT / "docs" / "pictures")
    parser.add_argument("--deploy", type=Path, action="append", default=[], help="a request to send first")
    given = parser.parse_args()
    if not given.stack.exists():
        parser.error(f"{given.stack} is not there: start a stack with `make up` first")
    stack = json.loads(given.stack.read_text())
    for request in given.deploy:
        print(f"{request.name}: {deployed_as(stack, json.loads(request.read_text()))[0]}")
    with a_browser() as browser:
        for picture in take(stack, given.into, browser):
            print(picture)


def take(stack: dict[str, Any], into: Path, browser: Browser) -> list[Path]:
    """The newest success and the newest failure on the page, the list of all, and the newest message of each kind."""
    into.mkdir(parents=True, exist_ok=True)
    outcomes = [
        _asked(stack, f"deployments/{one['deployment_id']}") for one in _asked(stack, "deployments")["deployments"]
    ]
    made = _of_page(browser, into, "list", outcomes)
    for name, statuses in (("deployed", {"DEPLOYED"}), ("failed", {"NOT_DEPLOYED"}), ("refused", {"REFUSED"})):
        newest = next((outcome for outcome in outcomes if outcome["status"] in statuses), None)
        made += _of_page(browser, into, name, newest) if newest else []
    for symbol, name in (("✅", "deployed"), ("❌", "failed"), ("⚠️", "losing")):
        message = next((one for one in _messages(stack) if one["text"].startswith(symbol)), None)
        made += [_of_message(browser, into / f"slack-{name}.png", message)] if message else []
    return made


def deployed_as(stack: dict[str, Any], request: dict[str, Any]) -> tuple[str, str]:
    """Sends a request and waits for its outcome: how it ended, and the deployment's id."""
    started = _asked(stack, "deployments", request)
    while True:
        outcome = _asked(stack, f"deployments/{started['deployment_id']}")
        if outcome["status"] in FINAL:
            return str(outcome["status"]), str(outcome["deployment_id"])
        time.sleep(2)


@contextmanager
def a_browser() -> Iterator[Browser]:
    """The machine's own Chromium, headless."""
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


def _of_page(browser: Browser, into: Path, name: str, document: Any) -> list[Path]:
    """The page drawing a document, in every window."""
    made = []
    for window, (width, height, scheme) in WINDOWS.items():
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        page.goto(f"{PAGE.as_uri()}#d={fragment(document)}")
        page.locator("h1").wait_for()
        made.append(into / f"page-{name}-{window}.png")
        page.screenshot(path=made[-1], full_page=True)
        page.close()
    return made


def _of_message(browser: Browser, picture: Path, message: dict[str, Any]) -> Path:
    page = browser.new_page(viewport={"width": 600, "height": 200})
    page.set_content(drawn(message))
    page.screenshot(path=picture, full_page=True)
    page.close()
    return picture


def _messages(stack: dict[str, Any]) -> list[dict[str, Any]]:
    """What Slack was sent, newest first."""
    with urllib.request.urlopen(stack["slack_url"], timeout=30) as answer:
        bodies = [one["body"] for one in json.load(answer)]
    return [json.loads(body) if isinstance(body, str) else body for body in reversed(bodies)]


def _asked(stack: dict[str, Any], path: str, body: dict[str, Any] | None = None) -> Any:
    """The API's answer to a signed request: POST with a body, GET without."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"} if data else {}
    address, method = f"{stack['api_url'].rstrip('/')}/{path}", "POST" if data else "GET"
    request = AWSRequest(method, address, headers, data)
    credentials = Credentials(stack["access_key_id"], stack["secret_access_key"])
    SigV4Auth(credentials, "execute-api", stack["region"]).add_auth(request)
    sent = urllib.request.Request(address, data=data, headers=dict(request.headers), method=method)
    with urllib.request.urlopen(sent, timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
