"""CloudWatch's metrics of an endpoint's instances: the highest minute of each, in one call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, fault
from inservice.ports import Peak

# Namespace, names and dimensions: SageMaker developer guide, "Monitoring with Amazon CloudWatch", endpoint metrics.
_NAMESPACE = "/aws/sagemaker/Endpoints"
_METRICS = ("MemoryUtilization", "DiskUtilization", "GPUMemoryUtilization")
# They come once a minute, and CloudWatch keeps minutes for 15 days (GetMetricData reference).
_MINUTE = timedelta(minutes=1)
# Longer than any attempt: three metrics make 4320 values, far below the 100,800 of one page.
_LONGEST = timedelta(days=1)


class CloudWatchMetrics:
    """Metrics through GetMetricData."""

    def __init__(self, cloudwatch: Any = None) -> None:
        self._cloudwatch = cloudwatch or client("cloudwatch")

    def peaks(self, endpoint_name: str, variant_name: str, *, since: datetime, until: datetime) -> tuple[Peak, ...]:
        """The highest minute of each metric that has any, the earliest where several are equal."""
        # CloudWatch rounds a start down to its minute, where an earlier endpoint of this name may have been.
        begin = max(_next_minute(since), until - _LONGEST)
        if begin >= until:
            return ()
        queries = [_query(number, name, endpoint_name, variant_name) for number, name in enumerate(_METRICS)]
        try:
            answer = self._cloudwatch.get_metric_data(
                MetricDataQueries=queries, StartTime=begin, EndTime=until, ScanBy="TimestampAscending"
            )
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None
        return tuple(_peak(found) for found in answer["MetricDataResults"] if found.get("Values"))


def _query(number: int, metric: str, endpoint_name: str, variant_name: str) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint_name}, {"Name": "VariantName", "Value": variant_name}]
    return {
        "Id": f"m{number}",
        "MetricStat": {
            "Metric": {"Namespace": _NAMESPACE, "MetricName": metric, "Dimensions": dimensions},
            "Period": int(_MINUTE.total_seconds()),
            "Stat": "Maximum",
        },
    }


def _peak(found: dict[str, Any]) -> Peak:
    minutes = zip(found["Values"], found["Timestamps"], strict=True)
    value, at = max(minutes, key=lambda minute: (minute[0], -minute[1].timestamp()))
    return Peak(_METRICS[int(found["Id"][1:])], float(value), at.astimezone(UTC))


def _next_minute(moment: datetime) -> datetime:
    whole = moment.replace(second=0, microsecond=0)
    return whole if whole == moment else whole + _MINUTE
