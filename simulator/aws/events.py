"""SageMaker's events: built as EventBridge documents them, delivered through the engine's own rules and targets.

Emulators refuse PutEvents with an aws.* source, as AWS does, so the rules of the default bus are asked for, matched
with TestEventPattern, and their targets called.
"""

from __future__ import annotations

import json
import queue
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from simulator.aws.clients import Engine
from simulator.clock import Clock, iso
from simulator.faults import Faults

if TYPE_CHECKING:
    from simulator.control_plane.records import Endpoint

# EndpointStatus in events is SCREAMING_SNAKE (EventBridge samples in the SageMaker developer guide); FAILED and
# ROLLING_BACK are spelled by analogy, no sample is public.
_SPELLING = {"InService": "IN_SERVICE", "RollingBack": "ROLLING_BACK", "SystemUpdating": "SYSTEM_UPDATING"}
_KEPT = 5000


class Events:
    """Sends events from one thread, in order; keeps them for the control door."""

    def __init__(self, engine: Engine | None, clock: Clock, faults: Faults, region: str, account: str) -> None:
        self._engine, self._clock, self._faults = engine, clock, faults
        self._region, self._account = region, account
        self._queue: queue.Queue[tuple[float, dict[str, Any]] | None] = queue.Queue()
        self._sent: list[dict[str, Any]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def endpoint(self, endpoint: Endpoint) -> None:
        """SageMaker Endpoint State Change."""
        detail = self._endpoint_detail(endpoint)
        if endpoint.reason:
            detail["FailureReason"] = endpoint.reason
        self._emit("SageMaker Endpoint State Change", endpoint.arn.lower(), detail)

    def deployment(self, endpoint: Endpoint) -> None:
        """SageMaker Endpoint Deployment State Change, with the pending deployment."""
        detail = self._endpoint_detail(endpoint)
        if endpoint.pending:
            detail["PendingDeploymentSummary"] = {
                "EndpointConfigName": endpoint.pending, "StartTime": int(endpoint.modified * 1000),
                "ProductionVariants": _variants(endpoint),
            }  # fmt: skip
        self._emit("SageMaker Endpoint Deployment State Change", endpoint.arn.lower(), detail)

    def package(self, package: dict[str, Any]) -> None:
        """SageMaker Model Package State Change: PascalCase and ISO times, unlike endpoints."""
        detail = {key: value for key, value in package.items() if not key.endswith("Time")}
        detail |= {key: iso(value) for key, value in package.items() if key.endswith("Time")}
        self._emit("SageMaker Model Package State Change", package["ModelPackageArn"], detail)

    def model(self, arn: str) -> None:
        """SageMaker Model State Change."""
        self._emit("SageMaker Model State Change", arn, {"ModelArn": arn})

    def sent(self) -> list[dict[str, Any]]:
        """Events so far, oldest first."""
        return list(self._sent)

    def stop(self) -> None:
        """No more deliveries."""
        self._stopping.set()
        self._queue.put(None)
        self._thread.join(timeout=5)

    def _endpoint_detail(self, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "EndpointName": endpoint.name, "EndpointArn": endpoint.arn.lower(), "EndpointConfigName": endpoint.config,
            "ProductionVariants": [{"DesiredWeight": 1.0, "DesiredInstanceCount": 1.0}],
            "EndpointStatus": _SPELLING.get(endpoint.status, endpoint.status.upper()),
            "CreationTime": int(endpoint.created * 1000), "LastModifiedTime": int(endpoint.modified * 1000),
            "Tags": {tag["Key"]: tag["Value"] for tag in endpoint.tags},
        }  # fmt: skip

    def _emit(self, kind: str, resource: str, detail: dict[str, Any]) -> None:
        now = self._clock.now()
        event = {
            "version": "0", "id": str(uuid.uuid4()), "detail-type": kind, "source": "aws.sagemaker",
            "account": self._account, "time": iso(now)[:19] + "Z", "region": self._region, "resources": [resource],
            "detail": detail,
        }  # fmt: skip
        wanted = self._faults.value("events")
        for _ in range(int(wanted.get("copies", 1))):
            self._queue.put((now + float(wanted.get("delay_seconds", 0)), event))

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            due, event = item
            if self._clock.wait_until(due, self._stopping):
                return
            self._sent.append(event)
            del self._sent[:-_KEPT]
            if self._engine:
                try:
                    self._deliver(event)
                except (ClientError, BotoCoreError) as problem:
                    print(f"an event was not delivered: {problem}", file=sys.stderr, flush=True)

    def _deliver(self, event: dict[str, Any]) -> None:
        assert self._engine is not None
        bus = self._engine.client("events")
        for page in bus.get_paginator("list_rules").paginate():
            for rule in page["Rules"]:
                pattern = rule.get("EventPattern")
                if not pattern or rule.get("State") != "ENABLED":
                    continue
                if bus.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]:
                    for target in bus.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                        self._call(target, _input(target, event))

    def _call(self, target: dict[str, Any], text: str) -> None:
        assert self._engine is not None
        arn = target["Arn"]
        service = arn.split(":")[2]
        if service == "lambda":
            self._engine.client("lambda").invoke(FunctionName=arn, InvocationType="Event", Payload=text.encode())
        elif service == "states":
            self._engine.client("stepfunctions").start_execution(stateMachineArn=arn, input=text)
        elif service == "sns":
            self._engine.client("sns").publish(TopicArn=arn, Message=text)
        elif service == "sqs":
            url = self._engine.client("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
            self._engine.client("sqs").send_message(QueueUrl=url, MessageBody=text)
        else:
            print(f"targets of {service} are not played: {arn}", file=sys.stderr, flush=True)


def _input(target: dict[str, Any], event: dict[str, Any]) -> str:
    """The target's input: as given, a part by path, a filled template, or the event."""
    if "Input" in target:
        return target["Input"]
    if "InputPath" in target:
        return json.dumps(_at(event, target["InputPath"]))
    if "InputTransformer" in target:
        text = target["InputTransformer"]["InputTemplate"]
        for name, path in (target["InputTransformer"].get("InputPathsMap") or {}).items():
            text = text.replace(f"<{name}>", json.dumps(_at(event, path)))
        return text
    return json.dumps(event)


def _at(event: dict[str, Any], path: str) -> Any:
    found: Any = event
    for part in path.removeprefix("$").split("."):
        if part:
            found = found.get(part) if isinstance(found, dict) else None
    return found


def _variants(endpoint: Endpoint) -> list[dict[str, Any]]:
    fleet = endpoint.pending_fleet
    status = [_in_ms(endpoint.variant_status)]
    return [{"VariantName": name, "VariantStatus": status} for name in (fleet.instances if fleet else ())]


def _in_ms(status: dict[str, Any] | None) -> dict[str, Any]:
    return {**status, "StartTime": int(status["StartTime"] * 1000)} if status else {"Status": "Creating"}
