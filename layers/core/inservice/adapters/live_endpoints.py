"""The table's items of live endpoints: one per endpoint, listed by the same index as deployments."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, code_of, fault
from inservice.ports import LiveEndpoint

_JSON = ("request", "plan")
_WRITTEN = ("endpoint_name", "deployment_id", "deployed_at", "config_name", *_JSON)
_NOTED = ("wanted", "wanted_by", "checked_at")


class DynamoLiveEndpoints:
    """Live endpoints in the deployments' DynamoDB table, under keys of their own."""

    def __init__(self, table_name: str, dynamodb: Any = None) -> None:
        self._table = table_name
        self._dynamodb = dynamodb or client("dynamodb")

    def put(self, live: LiveEndpoint) -> None:
        """Notes the endpoint's latest success, unless a newer one is noted; what is wanted of it stays."""
        values = {name: getattr(live, name) for name in _WRITTEN}
        values |= {name: json.dumps(values[name]) for name in _JSON}
        self._set(
            live.endpoint_name, {"_kind": "endpoint", "_created_at": live.deployed_at, **values},
            "attribute_not_exists(deployed_at) OR deployed_at <= :since", since=live.deployed_at,
        )  # fmt: skip

    def get(self, endpoint_name: str) -> LiveEndpoint | None:
        """The endpoint, read consistently; None when none of ours is live under that name."""
        item = self._call("get_item", Key=_key(endpoint_name), ConsistentRead=True).get("Item")
        return _live(item) if item and "deployed_at" in item else None

    def every(self) -> list[LiveEndpoint]:
        """All live endpoints, the latest success first."""
        query: dict[str, Any] = {
            "IndexName": "newest", "KeyConditionExpression": "#k = :k", "ScanIndexForward": False,
            "ExpressionAttributeNames": {"#k": "_kind"}, "ExpressionAttributeValues": {":k": {"S": "endpoint"}},
        }  # fmt: skip
        found: list[LiveEndpoint] = []
        while True:
            page = self._call("query", **query)
            found += [_live(item) for item in page["Items"]]
            if not page.get("LastEvaluatedKey"):
                return found
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def want(self, endpoint_name: str, package_arn: str, version: int, event_id: str) -> bool:
        """Notes which model package the endpoint shall run next; False when a newer one is wanted already."""
        return self._set(
            endpoint_name, {"wanted": package_arn, "wanted_by": event_id, "wanted_version": f"{version:012}"},
            "attribute_exists(deployed_at) AND (attribute_not_exists(wanted_version) OR wanted_version < :since"
            " OR wanted_by = :event)", since=f"{version:012}", event=event_id,
        )  # fmt: skip

    def claim_recovery(self, endpoint_name: str, event_id: str, at: str, not_since: str) -> bool:
        """Takes the right to redeploy after a failure; False when another event took it since `not_since`."""
        return self._set(
            endpoint_name, {"recovered_at": at, "recovered_by": event_id},
            "attribute_exists(deployed_at) AND (attribute_not_exists(recovered_at) OR recovered_at < :since"
            " OR recovered_by = :event)", since=not_since, event=event_id,
        )  # fmt: skip

    def checked(self, endpoint_name: str, at: str) -> None:
        """Notes that the endpoint's period was over and was seen to."""
        self._set(endpoint_name, {"checked_at": at}, "attribute_exists(deployed_at)")

    def remove(self, endpoint_name: str) -> None:
        """Forgets an endpoint that is no longer there."""
        self._call("delete_item", Key=_key(endpoint_name))

    def _set(self, endpoint_name: str, values: dict[str, str], condition: str, **compared: str) -> bool:
        names = {f"#n{at}": name for at, name in enumerate(values)}
        sets = {f":v{at}": {"S": value} for at, value in enumerate(values.values())}
        try:
            self._call(
                "update_item", Key=_key(endpoint_name), ConditionExpression=condition,
                UpdateExpression="SET " + ", ".join(f"#n{at} = :v{at}" for at in range(len(values))),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=sets | {f":{name}": {"S": value} for name, value in compared.items()},
            )  # fmt: skip
        except ClientError as problem:
            if code_of(problem) == "ConditionalCheckFailedException":
                return False
            raise fault(problem) from None
        return True

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._dynamodb, operation)(TableName=self._table, **arguments)
        except ClientError as problem:
            if code_of(problem) == "ConditionalCheckFailedException":
                raise
            raise fault(problem) from None
        except BotoCoreError as problem:
            raise fault(problem) from None


def _key(endpoint_name: str) -> dict[str, Any]:
    return {"pk": {"S": f"endpoint#{endpoint_name.lower()}"}}


def _live(item: dict[str, Any]) -> LiveEndpoint:
    values = {name: item[name]["S"] for name in (*_WRITTEN, *_NOTED) if name in item}
    return LiveEndpoint(**(values | {name: json.loads(values[name]) for name in _JSON}))
