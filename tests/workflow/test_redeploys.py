"""Redeploys through the engine's EventBridge: each event twice, and in the wrong order."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from inservice.contracts import RUNNING
from inservice.planning.tables import image_uri, images

pytestmark = [pytest.mark.stack, pytest.mark.timeout(280)]

QWEN = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "instance_type": "ml.g5.2xlarge", "server": "vllm"}


def of(caller: Any, endpoint_name: str, count: int) -> list[dict[str, Any]]:
    """The endpoint's deployments, newest first, once there are so many and all have ended."""
    ends = time.monotonic() + 120
    while time.monotonic() < ends:
        found = caller.call("GET", f"/deployments?endpoint_name={endpoint_name}")[1]["deployments"]
        if len(found) >= count and all(one["status"] not in RUNNING for one in found):
            return list(found)
        time.sleep(0.3)
    raise AssertionError(f"{endpoint_name} has {[(one['deployment_id'], one['status']) for one in found]}")


def dead_letters(caller: Any, about: str) -> list[tuple[dict[str, Any], str]]:
    """(event, reason) of the letters about something, once there is one."""
    sqs = caller.stack.client("sqs")
    [url] = [url for url in sqs.list_queues()["QueueUrls"] if "RedeployDeadLetters" in url]
    ends, found = time.monotonic() + 60, []
    while time.monotonic() < ends and not found:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0, WaitTimeSeconds=1
        )
        letters = [
            (json.loads(one["Body"]), one.get("MessageAttributes", {}).get("reason", {}).get("StringValue", ""))
            for one in answer.get("Messages", ())
        ]
        found = [(event, reason) for event, reason in letters if about in json.dumps(event)]
    return found


def test_a_failed_endpoint_is_deployed_again_once_and_not_in_a_loop(caller: Any) -> None:
    request = {**QWEN, "endpoint_name": "comes-back", "redeploy": {"after_failure": True}}
    assert caller.outcome(caller.deploy(request))["status"] == "DEPLOYED"
    found = caller.stack.client("sagemaker").describe_endpoint(EndpointName="comes-back")
    detail = {
        "EndpointName": "comes-back", "EndpointConfigName": found["EndpointConfigName"], "EndpointStatus": "FAILED",
        "LastModifiedTime": int(found["LastModifiedTime"].timestamp() * 1000) + 3_600_000,
    }  # fmt: skip
    event = {**envelope("SageMaker Endpoint State Change", detail), "id": "failed-1"}
    for heard in (event, event):
        emit(caller, heard)
    newest, first = of(caller, "comes-back", 2)
    assert (newest["status"], first["status"]) == ("DEPLOYED", "DEPLOYED")
    config = caller.stack.client("sagemaker").describe_endpoint(EndpointName="comes-back")["EndpointConfigName"]
    again = {**detail, "EndpointConfigName": config, "LastModifiedTime": detail["LastModifiedTime"] + 3_600_000}
    emit(caller, {**envelope("SageMaker Endpoint State Change", again), "id": "failed-2"})
    assert len(of(caller, "comes-back", 2)) == 2


def test_the_newest_approved_package_wins_in_whatever_order_it_is_heard_of(caller: Any) -> None:
    sagemaker = caller.stack.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="Chat")
    image = next(image_uri(image, "us-east-1") for image in images("tgi") if image.version == "3.3.6")
    container = {"Image": image, "Environment": {"HF_MODEL_ID": "Qwen/Qwen2.5-7B-Instruct"}}
    first, second, third = (
        sagemaker.create_model_package(
            ModelPackageGroupName="Chat", ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["application/json"],
                                    "SupportedResponseMIMETypes": ["application/json"]},
        )["ModelPackageArn"]
        for _ in range(3)
    )  # fmt: skip
    request = {"endpoint_name": "packaged", "model": {"model_package_arn": first}, "instance_type": "ml.g5.2xlarge"}
    assert caller.outcome(caller.deploy(request))["status"] == "DEPLOYED"
    caller.faults(events={"copies": 2})
    for arn in (third, second):
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    newest, _ = of(caller, "packaged", 2)
    assert newest["status"] == "DEPLOYED"
    emit(caller, {**envelope("SageMaker Model Package State Change", _approval(second)), "id": "heard-late"})
    assert len(of(caller, "packaged", 2)) == 2
    config = sagemaker.describe_endpoint(EndpointName="packaged")["EndpointConfigName"]
    model = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]["ModelName"]
    assert third in json.dumps(sagemaker.describe_model(ModelName=model), default=str)


def test_what_is_to_be_renewed_each_week_moves_to_the_newest_image(caller: Any) -> None:
    request = {**QWEN, "endpoint_name": "weekly", "redeploy": {"every_days": 7}, "server_version": "0.29.0"}
    assert caller.outcome(caller.deploy(request))["status"] == "DEPLOYED"
    hourly = {**envelope("Scheduled Event", {}), "source": "aws.events", "id": "an-hour"}
    caller.invoke("RedeployFunction", hourly)
    assert len(of(caller, "weekly", 1)) == 1, "the week is not over"
    _a_week_passes(caller, "weekly")
    for heard in (hourly, hourly):
        caller.invoke("RedeployFunction", heard)
    newest, _ = of(caller, "weekly", 2)
    assert (newest["status"], newest["plan"]["server_version"]) == ("DEPLOYED", images("vllm")[-1].version)
    _a_week_passes(caller, "weekly")
    caller.invoke("RedeployFunction", {**hourly, "id": "another-hour"})
    assert len(of(caller, "weekly", 2)) == 2, "nothing newer has appeared"


def test_an_event_that_cannot_be_followed_is_kept_with_the_reason(caller: Any) -> None:
    detail = {"endpoint_name": "no-model-at-all", "instance_type": "ml.g5.2xlarge"}
    entry = {"Source": "inservice", "DetailType": "Deployment Requested", "Detail": json.dumps(detail)}
    caller.stack.client("events").put_events(Entries=[entry])
    letters = dead_letters(caller, "no-model-at-all")
    assert letters
    event, reason = letters[0]
    assert event["detail"] == detail
    assert "model" in reason


def _approval(arn: str) -> dict[str, Any]:
    return {"ModelPackageGroupName": "Chat", "ModelPackageArn": arn, "ModelApprovalStatus": "APPROVED"}


def _a_week_passes(caller: Any, endpoint_name: str) -> None:
    """Both moments that the week is counted from become a week older, and a version that was pinned is no more."""
    dynamodb = caller.stack.client("dynamodb")
    table = caller.table()
    item = dynamodb.get_item(TableName=table, Key={"pk": {"S": f"endpoint#{endpoint_name}"}})["Item"]
    request = {**json.loads(item["request"]["S"]), "server_version": None}
    item |= {"deployed_at": {"S": "2026-01-01T00:00:00+00:00"}, "request": {"S": json.dumps(request)}}
    item.pop("checked_at", None)
    dynamodb.put_item(TableName=table, Item=item)


def envelope(kind: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0", "detail-type": kind, "source": "aws.sagemaker", "account": "000000000000",
        "time": "2026-11-24T12:00:00Z", "region": "us-east-1", "resources": [], "detail": detail,
    }  # fmt: skip


def emit(caller: Any, event: dict[str, Any]) -> None:
    """Delivers an event as SageMaker's: to the targets of the rules that match, since nobody may put it on the bus."""
    events, functions = caller.stack.client("events"), caller.stack.client("lambda")
    followed = 0
    for rule in events.list_rules()["Rules"]:
        pattern = rule.get("EventPattern")
        if pattern and events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]:
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                answer = functions.invoke(FunctionName=target["Arn"], Payload=json.dumps(event))
                assert "FunctionError" not in answer, answer["Payload"].read()
                followed += 1
    assert followed == 1
