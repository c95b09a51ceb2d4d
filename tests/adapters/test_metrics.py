"""Metrics: the highest minute of each, of this variant and of this attempt's time only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from inservice.adapters.metrics import CloudWatchMetrics
from inservice.errors import InServiceError, Refused, Unavailable
from inservice.ports import Peak

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def minute(number: int) -> datetime:
    return NOON + timedelta(minutes=number)


def published(cloudwatch: Any, values: dict[int, float], metric: str = "MemoryUtilization", **names: str) -> None:
    named = {"EndpointName": "chat", "VariantName": "AllTraffic", **names}
    dimensions = [{"Name": name, "Value": value} for name, value in named.items()]
    data = [
        {"MetricName": metric, "Dimensions": dimensions, "Timestamp": minute(number), "Value": value, "Unit": "Percent"}
        for number, value in values.items()
    ]
    cloudwatch.put_metric_data(Namespace="/aws/sagemaker/Endpoints", MetricData=data)


def read(cloudwatch: Any, since: datetime = NOON, until: datetime | None = None) -> tuple[Peak, ...]:
    metrics = CloudWatchMetrics(cloudwatch)
    return metrics.peaks("chat", "AllTraffic", since=since, until=until or minute(30))


def test_the_highest_minute_is_told_and_the_earliest_of_equals(cloudwatch: Any) -> None:
    published(cloudwatch, {2: 41.5, 4: 99.6, 6: 99.6, 8: 3.0})
    published(cloudwatch, {5: 12.0}, "DiskUtilization")
    published(cloudwatch, {5: 700.0}, "CPUUtilization")
    assert read(cloudwatch) == (
        Peak("MemoryUtilization", 99.6, minute(4)), Peak("DiskUtilization", 12.0, minute(5)),
    )  # fmt: skip


def test_other_variants_other_endpoints_and_other_times_do_not_count(cloudwatch: Any) -> None:
    published(cloudwatch, {3: 20.0, -5: 99.0, 0: 98.0, 40: 97.0})
    published(cloudwatch, {3: 96.0}, VariantName="Shadow")
    published(cloudwatch, {3: 95.0}, EndpointName="chat-2")
    # 12:00 itself began before the attempt did: an endpoint of the same name may have ended in it.
    assert read(cloudwatch, since=NOON + timedelta(seconds=20)) == (Peak("MemoryUtilization", 20.0, minute(3)),)


def test_no_metric_is_an_answer(cloudwatch: Any) -> None:
    assert read(cloudwatch) == ()
    assert read(cloudwatch, since=minute(30)) == ()


class Broken:
    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def get_metric_data(self, **_: Any) -> Any:
        raise self.problem


@pytest.mark.parametrize(
    ("problem", "told"),
    [(ClientError({"Error": {"Code": "Throttling"}}, "GetMetricData"), Unavailable),
     (ClientError({"Error": {"Code": "AccessDenied"}}, "GetMetricData"), Refused),
     (EndpointConnectionError(endpoint_url="https://monitoring.us-east-1.amazonaws.com"), Unavailable)],
    ids=["throttled", "denied", "no connection"],
)  # fmt: skip
def test_faults_are_told_as_those_of_other_services(problem: Exception, told: type[InServiceError]) -> None:
    with pytest.raises(told):
        read(Broken(problem))
