"""CloudWatch's alarms, as far as an update needs its own."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, fault
from inservice.ports import Owned
from inservice.provisioning.alarms import ALARM_PREFIX


class CloudWatchAlarms:
    """The alarms of one account and region that carry this project's prefix."""

    def __init__(self, cloudwatch: Any = None) -> None:
        self._cloudwatch = cloudwatch or client("cloudwatch")

    def put(self, definition: dict[str, Any]) -> None:
        """Makes an alarm, or the one of this name anew."""
        self._called("put_metric_alarm", **definition)

    def delete(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Removes those that are there, and names them; DeleteAlarms itself is silent about the others."""
        found = self._called("describe_alarms", AlarmNames=list(names))["MetricAlarms"]
        there = tuple(str(alarm["AlarmName"]) for alarm in found)
        if there:
            self._called("delete_alarms", AlarmNames=list(there))
        return there

    def owned(self) -> list[Owned]:
        """Every alarm that an update of ours was given."""
        try:
            pages = self._cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=ALARM_PREFIX)
            return [self._owned(alarm) for page in pages for alarm in page["MetricAlarms"]]
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None

    def _owned(self, alarm: dict[str, Any]) -> Owned:
        listed = self._called("list_tags_for_resource", ResourceARN=alarm["AlarmArn"])
        tags = {tag["Key"]: tag["Value"] for tag in listed["Tags"]}
        return Owned("alarm", alarm["AlarmName"], tags, alarm["AlarmConfigurationUpdatedTimestamp"])

    def _called(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._cloudwatch, operation)(**arguments)
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None
