"""Slack: one message per outcome that the topic announces, however often it is delivered."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities import parameters
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from inservice.adapters.slack import KEPT_SECONDS, TableThreads, poster
from inservice.contracts import Outcome
from inservice.errors import Unreadable
from pydantic import ValidationError

Post = Callable[[Outcome], None]


def handler(
    event: dict[str, Any], context: Any, *, post: Post | None = None, store: BasePersistenceLayer | None = None
) -> dict[str, int]:
    """Posts every outcome in an SNS event; raises when Slack did not take one, so that it is delivered again."""
    outcomes = [_outcome(record) for record in event["Records"]]
    once = _once(post or _post_from(os.environ), store or _store(os.environ["IDEMPOTENCY_TABLE"]), context)
    for outcome in outcomes:
        _traced(once, outcome)
        _logger().info("posted", deployment_id=outcome.deployment_id, status=outcome.status)
    return {"posted": len(outcomes)}


def _outcome(record: dict[str, Any]) -> Outcome:
    """The outcome a record carries; anything else on the topic is a fault and ends in the dead-letter queue."""
    try:
        return Outcome.model_validate_json(record["Sns"]["Message"])
    except ValidationError as problem:
        raise Unreadable(f"the SNS message is not an outcome: {problem.errors(include_input=False)[:3]}") from None


def _once(post: Post, store: BasePersistenceLayer, context: Any) -> Post:
    """`post`, at most once per deployment, status and attempt: a second early verdict after a repair is news."""
    config = IdempotencyConfig(expires_after_seconds=KEPT_SECONDS, lambda_context=context)

    def post_once(outcome: Outcome) -> None:
        @idempotent_function(data_keyword_argument="news", persistence_store=store, config=config, key_prefix="slack")
        def deliver(*, news: list[Any]) -> dict[str, Any]:
            post(outcome)
            return {"news": news}

        deliver(news=[outcome.deployment_id, outcome.status, len(outcome.attempts)])

    return post_once


def _post_from(environment: Mapping[str, str]) -> Post:
    """Posts with the secret as it is at that moment, kept for five minutes."""

    def post(outcome: Outcome) -> None:
        secret = parameters.get_secret(environment["SLACK_SECRET_NAME"], max_age=300)
        threads = TableThreads(environment["IDEMPOTENCY_TABLE"])
        poster(str(secret), channel=environment.get("SLACK_CHANNEL") or None, threads=threads)(outcome)

    return post


def _traced(once: Post, outcome: Outcome) -> None:
    """Posts within a subsegment of its own: Lambda's own segment takes no annotations (X-Ray SDK for Python)."""
    with _tracer().provider.in_subsegment("post") as subsegment:
        subsegment.put_annotation("deployment_id", outcome.deployment_id)
        once(outcome)


@cache
def _store(table_name: str) -> BasePersistenceLayer:
    return DynamoDBPersistenceLayer(table_name=table_name)


@cache
def _logger() -> Logger:
    return Logger(service="slack")


@cache
def _tracer() -> Tracer:
    """Traces on AWS, where every invocation has a trace id; is a no-op where there is none."""
    return Tracer(service="slack", disabled="_X_AMZN_TRACE_ID" not in os.environ)
