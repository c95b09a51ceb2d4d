"""The table of deployments: one item per deployment, one per lock.

An item is flat, name → JSON text, so that any entry can be set, or set once, without knowing the rest. The few
attributes that DynamoDB itself must compare (status, created_at, …) are also kept as plain strings under `_names`.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, code_of, fault
from inservice.errors import Unreadable
from inservice.ports import Lock

_INDEX = "newest"
_KEY = {"pk", "_kind", "_created_at"}
_COMPARED = ("status", "endpoint_name", "created_at", "cause", "model_package_arn")


class DynamoDeployments:
    """Deployments in one DynamoDB table; its index `newest` sorts them by creation."""

    def __init__(self, table_name: str, dynamodb: Any = None) -> None:
        self._table = table_name
        self._dynamodb = dynamodb or client("dynamodb")

    def create(self, deployment_id: str, facts: dict[str, Any]) -> bool:
        """Writes a new deployment; False when the id is taken."""
        item = {"pk": {"S": f"deployment#{deployment_id}"}, "_kind": {"S": "deployment"}, **_attributes(facts)}
        try:
            self._call("put_item", Item=item, ConditionExpression="attribute_not_exists(pk)")
            return True
        except _ConditionFailed:
            return False

    def read(self, deployment_id: str) -> dict[str, Any] | None:
        """The deployment's facts, read consistently; None when there is none."""
        answer = self._call("get_item", Key={"pk": {"S": f"deployment#{deployment_id}"}}, ConsistentRead=True)
        item = answer.get("Item") or {}
        # A state that somebody runs by hand leaves fragments of a deployment that nobody created.
        return _facts(item) if "_kind" in item else None

    def note(self, deployment_id: str, facts: dict[str, Any], first: dict[str, Any]) -> None:
        """Sets `facts`, and each of `first` only where nothing is set yet; counts the call, which the ledger prices."""
        sets: list[str] = []
        names: dict[str, str] = {}
        values: dict[str, Any] = {}
        entries = [*((k, v, False) for k, v in _attributes(facts).items()),
                   *((k, v, True) for k, v in _attributes(first).items())]  # fmt: skip
        for at, (name, value, once) in enumerate(entries):
            names[f"#n{at}"], values[f":v{at}"] = name, value
            sets.append(f"#n{at} = if_not_exists(#n{at}, :v{at})" if once else f"#n{at} = :v{at}")
        names["#calls"], values[":one"] = "_calls", {"N": "1"}
        self._call(
            "update_item", Key={"pk": {"S": f"deployment#{deployment_id}"}},
            UpdateExpression="SET " + ", ".join(sets) + " ADD #calls :one",
            ExpressionAttributeNames=names, ExpressionAttributeValues=values,
        )  # fmt: skip

    def newest(
        self, *, limit: int, token: str | None, where: dict[str, str]
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Up to `limit` deployments, newest first, and the token of the next page; `where` compares attributes."""
        names = {"#k": "_kind"} | {f"#w{at}": f"_{name}" for at, name in enumerate(where)}
        values = {":k": {"S": "deployment"}} | {f":w{at}": {"S": v} for at, v in enumerate(where.values())}
        query: dict[str, Any] = {
            "IndexName": _INDEX, "KeyConditionExpression": "#k = :k", "ScanIndexForward": False,
            "ExpressionAttributeNames": names, "ExpressionAttributeValues": values, "Limit": max(limit, 25),
        }  # fmt: skip
        if where:
            query["FilterExpression"] = " AND ".join(f"#w{at} = :w{at}" for at in range(len(where)))
        return self._pages(query, limit, token)

    def _pages(self, query: dict[str, Any], limit: int, token: str | None) -> tuple[list[dict[str, Any]], str | None]:
        found: list[dict[str, Any]] = []
        start = _from_token(token)
        while True:
            page = self._call("query", **query, **({"ExclusiveStartKey": start} if start else {}))
            for item in page["Items"]:
                found.append({"deployment_id": item["pk"]["S"].split("#", 1)[1], **_facts(item)})
                if len(found) == limit:
                    key = {name: item[name] for name in _KEY}
                    return found, _to_token(key)
            start = page.get("LastEvaluatedKey")
            if not start:
                return found, None

    def lock(
        self, endpoint_name: str, owner: str, request_hash: str, *, now: float, expires_at: float, instead_of: str = ""
    ) -> Lock:
        """Takes the endpoint's lock if it is free, expired, already the owner's, or held by `instead_of`."""
        item = {
            "pk": {"S": f"lock#{endpoint_name.lower()}"}, "owner": {"S": owner},
            "request_hash": {"S": request_hash}, "expires_at": {"N": str(int(expires_at))},
        }  # fmt: skip
        try:
            self._call(
                "put_item", Item=item,
                ConditionExpression="attribute_not_exists(pk) OR expires_at < :now OR #o = :owner OR #o = :instead",
                ExpressionAttributeNames={"#o": "owner"},
                ExpressionAttributeValues={
                    ":now": {"N": str(int(now))}, ":owner": {"S": owner}, ":instead": {"S": instead_of or owner},
                },
            )  # fmt: skip
            return Lock(owner, request_hash, mine=True)
        except _ConditionFailed:
            held = self._call("get_item", Key={"pk": item["pk"]}, ConsistentRead=True).get("Item")
            if not held:
                return self.lock(endpoint_name, owner, request_hash, now=now, expires_at=expires_at)
            return Lock(held["owner"]["S"], held["request_hash"]["S"], mine=False)

    def unlock(self, endpoint_name: str, owner: str) -> None:
        """Releases the lock if it is the owner's."""
        try:
            self._call(
                "delete_item", Key={"pk": {"S": f"lock#{endpoint_name.lower()}"}}, ConditionExpression="#o = :owner",
                ExpressionAttributeNames={"#o": "owner"}, ExpressionAttributeValues={":owner": {"S": owner}},
            )  # fmt: skip
        except _ConditionFailed:
            return

    def enter(self, deployment_id: str, execution: str, mark: str) -> bool:
        """Marks a function of `execution` as at work; False when another execution has the deployment in hand."""
        try:
            self._call(
                "update_item", Key={"pk": {"S": f"deployment#{deployment_id}"}},
                UpdateExpression="SET #e = :execution ADD #w :mark",
                ConditionExpression="attribute_not_exists(#e) OR #e = :execution",
                ExpressionAttributeNames={"#e": "_execution", "#w": "_at_work"},
                ExpressionAttributeValues={":execution": {"S": execution}, ":mark": {"SS": [mark]}},
            )  # fmt: skip
            return True
        except _ConditionFailed:
            return False

    def leave(self, deployment_id: str, mark: str) -> None:
        """Takes the mark away."""
        self._call(
            "update_item", Key={"pk": {"S": f"deployment#{deployment_id}"}}, UpdateExpression="DELETE #w :mark",
            ExpressionAttributeNames={"#w": "_at_work"}, ExpressionAttributeValues={":mark": {"SS": [mark]}},
        )  # fmt: skip

    def take_over(self, deployment_id: str, execution: str) -> tuple[dict[str, Any], tuple[str, ...]] | None:
        """Puts the deployment into the hands of `execution`; its facts, and the marks of who is still at work."""
        try:
            answer = self._call(
                "update_item", Key={"pk": {"S": f"deployment#{deployment_id}"}}, UpdateExpression="SET #e = :execution",
                ConditionExpression="attribute_exists(#k)", ReturnValues="ALL_NEW",
                ExpressionAttributeNames={"#e": "_execution", "#k": "_kind"},
                ExpressionAttributeValues={":execution": {"S": execution}},
            )  # fmt: skip
        except _ConditionFailed:
            return None
        item = answer["Attributes"]
        return _facts(item), tuple(item.get("_at_work", {}).get("SS", ()))

    def _call(self, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._dynamodb, operation)(TableName=self._table, **arguments)
        except ClientError as problem:
            if code_of(problem) == "ConditionalCheckFailedException":
                raise _ConditionFailed from None
            raise fault(problem) from None
        except BotoCoreError as problem:
            raise fault(problem) from None


class _ConditionFailed(Exception):
    """The item is not as the write requires."""


def _attributes(facts: dict[str, Any]) -> dict[str, Any]:
    attributes = {name: {"S": json.dumps(value)} for name, value in facts.items()}
    if isinstance(facts.get("diagnosis"), dict):
        attributes["_cause"] = {"S": facts["diagnosis"]["cause"]}
    for name in _COMPARED:
        if isinstance(facts.get(name), str):
            attributes[f"_{name}"] = {"S": facts[name]}
    return attributes


def _facts(item: dict[str, Any]) -> dict[str, Any]:
    facts = {name: json.loads(value["S"]) for name, value in item.items() if name != "pk" and not name.startswith("_")}
    return {**facts, "calls": int(item["_calls"]["N"])} if "_calls" in item else facts


def _to_token(key: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


def _from_token(token: str | None) -> dict[str, Any] | None:
    if not token:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(token))
        texts = set(key) == _KEY and all(set(part) == {"S"} and isinstance(part["S"], str) for part in key.values())
        if texts and key["_kind"]["S"] == "deployment" and key["pk"]["S"].startswith("deployment#"):
            return dict(key)
    except (ValueError, TypeError, AttributeError):
        pass
    raise Unreadable("this page token is none of ours", fix="leave it out to begin with the newest", field="next")
