"""The protocol: refused as AWS refuses, never crashed by what it is sent, usable by boto3's waiters and paginators."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.control_plane.operations import SAGEMAKER, perform
from simulator.wire import shapes
from simulator.wire.errors import AwsError
from simulator.wire.services import Call, Caller, read_call, service_model

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/sagemaker/aws4_request, Signature=0"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5000) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def fitting(shape: Any, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of roughly a shape: right often enough to come through, wrong often enough to be refused."""
    if shape.type_name == "structure":
        if depth > 3:
            return st.just({})
        required = {name: fitting(shape.members[name], depth + 1) for name in shape.required_members}
        others = {name: fitting(member, depth + 1) for name, member in shape.members.items() if name not in required}
        return st.fixed_dictionaries(required, optional=others)
    if shape.type_name == "list":
        return st.lists(fitting(shape.member, depth + 1), max_size=2)
    if shape.type_name == "map":
        return st.dictionaries(st.sampled_from(["A", "B_1", "1 bad"]), fitting(shape.value, depth + 1), max_size=2)
    if shape.type_name == "string":
        return (
            st.sampled_from(shape.enum) if shape.enum else st.sampled_from(["a", "model-1", "s3://b/k/", "", "no no"])
        )
    if shape.type_name in ("integer", "long"):
        return st.integers(-1, 5000)
    return {"boolean": st.booleans(), "timestamp": st.floats(0, 2e9)}.get(shape.type_name, st.floats(0, 10))


def attempted(simulation: Any, operation: str, arguments: Any) -> tuple[Any, AwsError | None]:
    try:
        call = read_call(f"SageMaker.{operation}", SIGNED, json.dumps(arguments).encode())
        return perform(simulation, call), None
    except AwsError as refused:
        return None, refused


@given(data=st.data())
@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
def test_requests_of_any_shape_are_answered_or_refused_never_crashed(account: Any, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(sorted(set(SAGEMAKER) - {"CreateEndpoint"})))
    model = service_model("sagemaker").operation_model(operation)
    arguments = data.draw(fitting(model.input_shape))
    answer, refused = attempted(account.simulation, operation, arguments)
    if refused is None:
        json.dumps(shapes.cut(model.output_shape, answer) if model.output_shape else {})
    else:
        assert refused.status == 400
        assert refused.message


@given(body=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), target=st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_malformed_bodies_and_targets_are_refused(body: bytes, target: str) -> None:
    for asked in (target, "SageMaker.CreateEndpoint"):
        with pytest.raises(AwsError) as refused:
            read_call(asked, SIGNED, body)
        assert refused.value.code in ("SerializationException", "ValidationException", "UnknownOperationException")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "Value null at 'endpointName' failed to satisfy constraint: Member must not be null"),
        ({"EndpointName": "a b"}, "Member must satisfy regular expression pattern"),
        ({"EndpointName": "x" * 64}, "Member must have length less than or equal to 63"),
    ],
)
def test_constraints_are_refused_in_aws_words(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(AwsError) as refused:
        read_call("SageMaker.DescribeEndpoint", SIGNED, json.dumps(arguments).encode())
    assert words in refused.value.message


def test_two_mistakes_are_told_at_once() -> None:
    variant = {"VariantName": "v", "VolumeSizeInGB": 513, "ContainerStartupHealthCheckTimeoutInSeconds": 30}
    body = json.dumps({"EndpointConfigName": "c", "ProductionVariants": [variant]}).encode()
    with pytest.raises(AwsError) as refused:
        read_call("SageMaker.CreateEndpointConfig", SIGNED, body)
    assert refused.value.message.startswith("2 validation errors detected: ")
    assert "'productionVariants.1.member.volumeSizeInGB'" in refused.value.message


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"Authorization": SIGNED, "X-Amz-Target": "SageMaker.Nonsense"}, b"{}", 400, "UnknownOperationException"),
        ({"X-Amz-Target": "SageMaker.ListModels"}, b"{}", 403, "MissingAuthenticationTokenException"),
        ({"Authorization": SIGNED, "X-Amz-Target": "SageMaker.ListModels"}, b"{oops", 400, "SerializationException"),
        ({"Authorization": SIGNED, "X-Amz-Target": "SageMaker.ListModels"}, b"[" * 9999, 400, "SerializationException"),
        ({"Authorization": SIGNED, "X-Amz-Target": "SageMaker.CreateApp"}, b"{}", 400, "ValidationException"),
    ],
)
def test_what_is_wrong_over_the_wire_has_aws_status_and_type(
    account: Any, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    request = urllib.request.Request(account.simulation.url, data=body, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert (refused.value.code, json.loads(refused.value.read())["__type"]) == (status, code)


@pytest.fixture
def models(account: Any) -> list[str]:
    names = [f"page-{number:02d}" for number in range(25)]
    for name in names:
        if name not in account.simulation.models:
            account.sagemaker.create_model(
                ModelName=name, ExecutionRoleArn=account.role, PrimaryContainer={"Image": account.tgi}
            )
    return names


def test_lists_are_filtered_sorted_and_paged(account: Any, models: list[str]) -> None:
    asked = {"NameContains": "PAGE-", "SortBy": "Name", "SortOrder": "Ascending"}
    pages = list(account.sagemaker.get_paginator("list_models").paginate(**asked))
    assert [len(page["Models"]) for page in pages] == [10, 10, 5]
    assert [model["ModelName"] for page in pages for model in page["Models"]] == models
    with pytest.raises(ClientError, match="NextToken"):
        account.sagemaker.list_models(NextToken="made-up")


def test_tags_are_kept_replaced_and_removed(account: Any, models: list[str]) -> None:
    arn = account.sagemaker.describe_model(ModelName=models[1])["ModelArn"]
    account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    account.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    found = account.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert found == [{"Key": "a", "Value": "3"}, {"Key": "b", "Value": "2"}]
    account.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["a"])
    assert [tag["Key"] for tag in account.sagemaker.list_tags(ResourceArn=arn)["Tags"]] == ["b"]


def test_packages_are_versions_of_a_group_and_can_be_approved_and_deployed(account: Any) -> None:
    account.sagemaker.create_model_package_group(ModelPackageGroupName="llama")
    kinds = ["application/json"]
    inside = {"Containers": [{"Image": account.tgi, "Environment": account.llama}], "SupportedContentTypes": kinds,
              "SupportedResponseMIMETypes": kinds}  # fmt: skip
    arn = account.sagemaker.create_model_package(ModelPackageGroupName="llama", InferenceSpecification=inside)[
        "ModelPackageArn"
    ]
    assert arn.endswith("model-package/llama/1")
    account.sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    approved = account.sagemaker.list_model_packages(ModelPackageGroupName="llama", ModelApprovalStatus="Approved")
    assert [entry["ModelPackageArn"] for entry in approved["ModelPackageSummaryList"]] == [arn]
    account.sagemaker.create_model(
        ModelName="packaged", ExecutionRoleArn=account.role, PrimaryContainer={"ModelPackageName": arn}
    )
    variant = {"VariantName": "AllTraffic", "ModelName": "packaged", "InitialInstanceCount": 1,
               "InstanceType": "ml.g5.2xlarge"}  # fmt: skip
    account.sagemaker.create_endpoint_config(EndpointConfigName="packaged", ProductionVariants=[variant])
    account.sagemaker.create_endpoint(EndpointName="packaged", EndpointConfigName="packaged")
    assert account.settled("packaged")["EndpointStatus"] == "InService"


def test_every_call_is_on_record_with_its_caller_and_outcome(account: Any) -> None:
    with pytest.raises(ClientError):
        account.sagemaker.describe_endpoint(EndpointName="never-made")
    last = account.simulation.record.calls()[-1]
    assert (last["operation"], last["caller"], last["EndpointName"]) == ("DescribeEndpoint", "someone", "never-made")
    assert last["outcome"].startswith("ValidationException: Could not find endpoint")


def test_an_operation_that_is_not_played_says_so(account: Any) -> None:
    call = Call("sagemaker", "CreateTrainingJob", {}, Caller("a", "us-east-1", "sagemaker"))
    with pytest.raises(AwsError, match="does not play CreateTrainingJob"):
        perform(account.simulation, call)
