"""AWS in memory: a DynamoDB table as the template makes it, and CloudWatch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from inservice.adapters.table import DynamoDeployments
from moto import mock_aws


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "made-up")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


@pytest.fixture
def cloudwatch(aws: None) -> Any:
    return boto3.client("cloudwatch", region_name="us-east-1")


@pytest.fixture
def table(aws: None) -> DynamoDeployments:
    dynamodb: Any = boto3.client("dynamodb", region_name="us-east-1")
    keys = {"pk": "HASH"}
    index = {"_kind": "HASH", "_created_at": "RANGE"}
    dynamodb.create_table(
        TableName="t", BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in (*keys, *index)],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        GlobalSecondaryIndexes=[{
            "IndexName": "newest", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in index.items()],
        }],
    )  # fmt: skip
    return DynamoDeployments("t", dynamodb)
