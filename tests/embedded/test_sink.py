"""The Slack sink keeps what is posted, at the stack's own time, and fails when it is told to."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from inservice.clock import Clock

from embedded.sink import slack_sink


@pytest.fixture
def url() -> Iterator[str]:
    with slack_sink(Clock(3600.0, time.time() - 1)) as found:
        yield found


def call(method: str, url: str, body: Any = None) -> tuple[int, str]:
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method=method), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers.get("Retry-After") or ""


def test_messages_are_listed_in_the_order_they_came(url: str) -> None:
    assert call("GET", url) == (200, "[]")
    assert call("POST", url, {"text": "first"}) == (200, "ok")
    call("POST", url, {"text": "second"})
    messages = json.loads(call("GET", url)[1])
    assert [message["body"]["text"] for message in messages] == ["first", "second"]
    # One second of the sink is an hour here: its time is the stack's.
    assert (datetime.fromisoformat(messages[0]["at"]) - datetime.now(UTC)).total_seconds() > 1800


def test_it_fails_as_often_as_told_and_keeps_nothing_then(url: str) -> None:
    call("PUT", url, {"status": 429, "times": 2})
    assert [call("POST", url, {"text": "again"}) for _ in range(3)] == [(429, "1"), (429, "1"), (200, "ok")]
    assert len(json.loads(call("GET", url)[1])) == 1


def test_a_wrong_order_is_refused(url: str) -> None:
    assert call("PUT", url, {"status": "often"})[0] == 400


def test_what_is_not_json_is_kept_as_text(url: str) -> None:
    urllib.request.urlopen(urllib.request.Request(url, data=b"payload=plain"), timeout=5).close()
    assert json.loads(call("GET", url)[1])[0]["body"] == "payload=plain"
