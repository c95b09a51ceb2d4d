"""The Slack function: against a webhook and a Web API on loopback, and a DynamoDB of moto's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
from inservice.adapters.slack import TableThreads, poster
from inservice.contracts import Outcome
from inservice.errors import Unavailable, Unreadable
from moto import mock_aws
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler, ServerErrorRetryHandler
from slack_sdk.http_retry.builtin_interval_calculators import FixedValueRetryIntervalCalculator

from functions.slack import app
from tests.unit.publishing import outcomes

EVENTS = Path(__file__).parents[2] / "events"
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)
AT_ONCE = FixedValueRetryIntervalCalculator(0.0)


@dataclass
class Sink:
    """A Slack on loopback: answers the given statuses in turn, then 200, and keeps what it took."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    refusal: str | None = None
    asked: int = 0
    taken: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def sink() -> Iterator[Sink]:
    sink = Sink()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            sink.asked += 1
            status = sink.statuses.pop(0) if sink.statuses else 200
            if status == 200:
                sink.taken.append(_message(body, self.headers["Content-Type"]))
            answer = b"ok" if self.path == "/hook" else json.dumps(self._api_answer()).encode()
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _api_answer(self) -> dict[str, Any]:
            return {"ok": False, "error": sink.refusal} if sink.refusal else {"ok": True, "ts": f"17.{len(sink.taken)}"}

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sink.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield sink
    server.shutdown()
    server.server_close()


def _message(body: bytes, content_type: str) -> dict[str, Any]:
    if content_type.startswith("application/json"):
        return dict(json.loads(body))
    return {key: values[0] for key, values in parse_qs(body.decode()).items()}


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="idempotency",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield "idempotency"


def _quick() -> list[Any]:
    return [
        RateLimitErrorRetryHandler(max_retry_count=2, interval_calculator=AT_ONCE),
        ServerErrorRetryHandler(max_retry_count=2, interval_calculator=AT_ONCE),
    ]


def _event(*news: Outcome) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": outcome.model_dump_json()}} for outcome in news]}


def _deliver(outcome: Outcome, post: Any, table: str) -> dict[str, int]:
    return app.handler(_event(outcome), CONTEXT, post=post, store=DynamoDBPersistenceLayer(table_name=table))


def test_an_outcome_reaches_the_webhook_as_blocks(sink: Sink, table: str) -> None:
    assert _deliver(outcomes.deployed(), poster(sink.url + "/hook"), table) == {"posted": 1}
    assert sink.taken[0]["blocks"][0]["text"]["text"] == "✅ llama-3-8b-chat is InService"


def test_the_same_outcome_delivered_twice_is_posted_once(sink: Sink, table: str) -> None:
    for _ in range(2):
        _deliver(outcomes.not_deployed(), poster(sink.url + "/hook"), table)
    _deliver(outcomes.losing(), poster(sink.url + "/hook"), table)
    assert len(sink.taken) == 2


def test_rate_limits_and_server_errors_are_tried_again(sink: Sink, table: str) -> None:
    sink.statuses = [429, 500]
    _deliver(outcomes.deployed(), poster(sink.url + "/hook", retries=_quick()), table)
    assert (sink.asked, len(sink.taken)) == (3, 1)


def test_a_message_slack_does_not_take_is_an_error_and_is_posted_at_the_next_delivery(sink: Sink, table: str) -> None:
    sink.statuses = [500, 500, 500]
    post = poster(sink.url + "/hook", retries=_quick())
    with pytest.raises(Unavailable, match="Slack answered 500"):
        _deliver(outcomes.deployed(), post, table)
    _deliver(outcomes.deployed(), post, table)
    assert len(sink.taken) == 1


def test_a_slack_that_is_not_there_is_an_error_without_the_secret_in_it(sink: Sink, table: str) -> None:
    with pytest.raises(Unavailable) as problem:
        _deliver(outcomes.deployed(), poster("http://127.0.0.1:9/services/T0/B0/canary", retries=_quick()), table)
    assert "canary" not in str(problem.value)


def test_a_bot_threads_the_verdict_and_the_end_of_a_deployment(sink: Sink, table: str) -> None:
    post = poster("xoxb-1", channel="C1", threads=TableThreads(table), base_url=sink.url + "/api/")
    _deliver(outcomes.losing(), post, table)
    _deliver(outcomes.not_deployed(), post, table)
    first, last = sink.taken
    assert "thread_ts" not in first
    assert last["thread_ts"] == "17.1"
    assert last["reply_broadcast"] in (True, "1", "True", "true")


def test_a_bots_refusal_is_an_error_with_slacks_own_reason(sink: Sink, table: str) -> None:
    sink.refusal = "channel_not_found"
    post = poster("xoxb-canary", channel="C1", threads=TableThreads(table), base_url=sink.url + "/api/")
    with pytest.raises(Unavailable, match="channel_not_found") as problem:
        _deliver(outcomes.losing(), post, table)
    assert "canary" not in str(problem.value)
    assert TableThreads(table).find("dep-1") is None


def test_a_bot_tries_again_and_then_says_what_slack_answered(sink: Sink, table: str) -> None:
    threads = TableThreads(table)
    post = poster("xoxb-1", channel="C1", threads=threads, base_url=sink.url + "/api/", retries=_quick())
    sink.statuses = [429, 503]
    _deliver(outcomes.losing(), post, table)
    assert threads.find("dep-1") == "17.1"
    sink.statuses = [503, 503, 503]
    with pytest.raises(Unavailable):
        _deliver(outcomes.not_deployed(), post, table)


def test_it_works_on_lambda_with_tracing_on_and_no_daemon_to_take_the_traces() -> None:
    """In a process of its own, because the X-Ray SDK looks for Lambda once, when it is imported."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "PYTHONPATH": os.pathsep.join(sys.path),
        "AWS_DEFAULT_REGION": "us-east-1",
        "LAMBDA_TASK_ROOT": "/var/task",
        "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    }
    done = subprocess.run(
        [sys.executable, "-c", _ON_LAMBDA, json.dumps(_event(outcomes.deployed()))],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "posted llama-3-8b-chat"


_ON_LAMBDA = """
import json, sys
from types import SimpleNamespace
from moto import mock_aws
from functions.slack import app
import boto3
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer
context = SimpleNamespace(get_remaining_time_in_millis=lambda: 30000)
with mock_aws():
    boto3.client("dynamodb").create_table(TableName="t", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST")
    posted = []
    app.handler(json.loads(sys.argv[1]), context, post=posted.append, store=DynamoDBPersistenceLayer(table_name="t"))
print("posted", *[outcome.endpoint_name for outcome in posted])
"""


def test_nothing_is_read_or_built_when_it_is_imported() -> None:
    watch = "import boto3; boto3.client = boto3.resource = boto3.Session = None; import functions.slack.app"
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", watch], env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("sample", sorted(EVENTS.glob("slack-*.json")), ids=lambda path: path.stem)
def test_the_sample_events_are_posted(sink: Sink, table: str, sample: Path) -> None:
    store = DynamoDBPersistenceLayer(table_name=table)
    assert app.handler(json.loads(sample.read_text()), CONTEXT, post=poster(sink.url + "/hook"), store=store)
    assert len(sink.taken) == 1


def test_what_is_not_an_outcome_is_an_error_that_says_where(table: str) -> None:
    event = {"Records": [{"Sns": {"Message": '{"deployment_id": 1}'}}]}
    with pytest.raises(Unreadable, match="deployment_id"):
        app.handler(event, CONTEXT, post=lambda _: None, store=DynamoDBPersistenceLayer(table_name=table))


@pytest.mark.parametrize("secret", ["http://example.com/hook", "xoxb-1", "hello", "ftp://127.0.0.1/x"])
def test_a_secret_that_cannot_work_says_what_is_needed(secret: str) -> None:
    with pytest.raises(Unreadable) as problem:
        poster(secret)
    assert secret not in str(problem.value).replace("xoxb-…", "")


def test_on_lambda_the_environment_names_the_secret_and_the_table(
    sink: Sink, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    boto3.client("secretsmanager").create_secret(Name="slack", SecretString=sink.url + "/hook\n")
    monkeypatch.setenv("SLACK_SECRET_NAME", "slack")
    monkeypatch.setenv("IDEMPOTENCY_TABLE", table)
    monkeypatch.delenv("_X_AMZN_TRACE_ID", raising=False)
    app._store.cache_clear()
    app._tracer.cache_clear()
    parameters.clear_caches()
    monkeypatch.setattr(parameters.base, "DEFAULT_PROVIDERS", {})
    assert app.handler(_event(outcomes.refused()), CONTEXT) == {"posted": 1}
    assert len(sink.taken) == 1
    app._store.cache_clear()
