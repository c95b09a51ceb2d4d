"""Slack itself: an incoming webhook, or a bot that keeps one thread per deployment."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import boto3
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.http_retry.handler import RetryHandler
from slack_sdk.web import WebClient
from slack_sdk.webhook import WebhookClient

from inservice.contracts import Outcome
from inservice.errors import Unavailable, Unreadable
from inservice.publishing.slack import slack_message

_TIMEOUT_SECONDS = 10
# Deliveries and retries of one outcome end after days at most; a month is past all of them.
KEPT_SECONDS = 30 * 24 * 3600
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Threads(Protocol):
    """Where the first message of a deployment is remembered (its Slack `ts`)."""

    def find(self, deployment_id: str) -> str | None: ...
    def remember(self, deployment_id: str, ts: str) -> None: ...


def poster(
    secret: str,
    *,
    channel: str | None = None,
    threads: Threads | None = None,
    retries: list[RetryHandler] | None = None,
    base_url: str = WebClient.BASE_URL,
) -> Callable[[Outcome], None]:
    """What posts an outcome with this secret: a webhook's https address, or a bot token (xoxb-…) and its channel.

    The function it returns raises Unavailable when Slack did not take the message; the secret is in no error.
    """
    secret = secret.strip()
    if secret.startswith("xoxb-"):
        if not channel or threads is None:
            raise Unreadable("a Slack bot token needs SLACK_CHANNEL: the id of the channel to post to")
        client = WebClient(secret, base_url=base_url, timeout=_TIMEOUT_SECONDS, retry_handlers=retries or _retries())
        return lambda outcome: _by_bot(client, channel, threads, outcome)
    if not _is_webhook(secret):
        raise Unreadable("the Slack secret is neither an https:// incoming webhook address nor a bot token (xoxb-…)")
    webhook = WebhookClient(secret, timeout=_TIMEOUT_SECONDS, retry_handlers=retries or _retries())
    return lambda outcome: _by_webhook(webhook, outcome)


class TableThreads:
    """Threads in the idempotency table, under a key of their own, gone after a month."""

    def __init__(self, table_name: str, resource: Any = None) -> None:
        self._table = (resource or boto3.resource("dynamodb")).Table(table_name)

    def find(self, deployment_id: str) -> str | None:
        """The `ts` of the deployment's first message, if it was posted."""
        item = self._table.get_item(Key={"id": _thread_key(deployment_id)}, ConsistentRead=True).get("Item")
        return str(item["thread_ts"]) if item else None

    def remember(self, deployment_id: str, ts: str) -> None:
        """Keeps the `ts` of the first message."""
        expires = int(time.time()) + KEPT_SECONDS
        self._table.put_item(Item={"id": _thread_key(deployment_id), "expiration": expires, "thread_ts": ts})


def _thread_key(deployment_id: str) -> str:
    return f"slack-thread#{deployment_id}"


def _is_webhook(secret: str) -> bool:
    """https anywhere; plain http only to this machine, where the embedded stack listens."""
    address = urlsplit(secret)
    return address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)


def _retries() -> list[RetryHandler]:
    return [
        ConnectionErrorRetryHandler(max_retry_count=2),
        RateLimitErrorRetryHandler(max_retry_count=2),
        ServerErrorRetryHandler(max_retry_count=2),
    ]


def _by_webhook(webhook: WebhookClient, outcome: Outcome) -> None:
    message = slack_message(outcome)
    try:
        answer = webhook.send(text=message["text"], blocks=message["blocks"], unfurl_links=False)
    except OSError as problem:
        raise Unavailable(f"Slack could not be reached: {type(problem).__name__}") from None
    if answer.status_code != 200:
        raise Unavailable(f"Slack answered {answer.status_code}: {answer.body[:200]}")


def _by_bot(client: WebClient, channel: str, threads: Threads, outcome: Outcome) -> None:
    """Replies to the deployment's first message; what ends the deployment is shown in the channel as well."""
    parent = threads.find(outcome.deployment_id)
    final = outcome.status not in ("LOSING", "IN_PROGRESS")
    try:
        answer = client.chat_postMessage(
            channel=channel,
            **slack_message(outcome),
            thread_ts=parent,
            reply_broadcast=True if parent and final else None,
            unfurl_links=False,
        )
    except SlackApiError as problem:
        raise Unavailable(f"Slack refused the message: {problem.response.get('error', 'no reason given')}") from None
    except OSError as problem:
        raise Unavailable(f"Slack could not be reached: {type(problem).__name__}") from None
    if parent is None:
        threads.remember(outcome.deployment_id, str(answer["ts"]))
