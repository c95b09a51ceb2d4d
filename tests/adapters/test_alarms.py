"""Alarms: of our prefix only, found by their tags, and removed without complaint when they are gone."""

from __future__ import annotations

from typing import Any

from inservice.adapters.alarms import CloudWatchAlarms


def alarm(name: str) -> dict[str, Any]:
    return {
        "AlarmName": name, "Namespace": "AWS/SageMaker", "MetricName": "ModelLatency", "Statistic": "Average",
        "Period": 60, "EvaluationPeriods": 2, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
        "Tags": [{"Key": "inservice:deployment", "Value": "d-1"}],
    }  # fmt: skip


def test_ours_are_found_by_name_and_tag_and_others_are_not(cloudwatch: Any) -> None:
    alarms = CloudWatchAlarms(cloudwatch)
    alarms.put(alarm("inservice-update-e-d-1-errors"))
    cloudwatch.put_metric_alarm(**alarm("somebody-elses"))
    [owned] = alarms.owned()
    assert (owned.kind, owned.name, owned.tags) == (
        "alarm", "inservice-update-e-d-1-errors", {"inservice:deployment": "d-1"},
    )  # fmt: skip


def test_what_is_gone_is_no_mistake_and_is_not_said_to_be_removed(cloudwatch: Any) -> None:
    alarms = CloudWatchAlarms(cloudwatch)
    alarms.put(alarm("inservice-update-e-d-1-errors"))
    names = ("inservice-update-e-d-1-errors", "inservice-update-e-d-1-latency")
    assert alarms.delete(names) == names[:1]
    assert alarms.delete(names) == ()
