"""Faults in numbers, per operation and endpoint; the hub and the quotas beside SageMaker."""

from __future__ import annotations

import json
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from simulator.faults import Faults
from simulator.settings import ACCEPTED_TOKEN


def control(account: Any, method: str, what: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{account.simulation.url}/_simulator/{what}", data=data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_the_next_three_calls_are_throttled_and_the_fourth_is_not(account: Any) -> None:
    rule = {"operation": "ListModels", "code": "ThrottlingException", "next": 3}
    control(account, "PUT", "faults", {"errors": [rule]})
    for _ in range(3):
        with pytest.raises(ClientError, match="ThrottlingException"):
            account.sagemaker.list_models()
    account.sagemaker.list_models()
    outcomes = [call["outcome"] for call in control(account, "GET", "calls") if call["operation"] == "ListModels"]
    assert [outcome.split(":")[0] for outcome in outcomes[-4:]] == ["ThrottlingException"] * 3 + ["ok"]


def test_a_fifth_with_a_seed_is_the_same_fifth_every_time() -> None:
    def struck() -> list[bool]:
        faults = Faults()
        faults.put({"errors": {"share": 0.2, "seed": 7}})
        return [faults.strike("errors", "DescribeEndpoint") is not None for _ in range(500)]

    assert struck() == struck()
    assert 70 <= sum(struck()) <= 130


def test_a_fault_can_be_for_one_endpoint_only(account: Any) -> None:
    control(account, "PUT", "faults", {"errors": [{"endpoint": "one", "code": "InternalFailure", "status": 500}]})
    with pytest.raises(ClientError, match="InternalFailure"):
        account.sagemaker.describe_endpoint(EndpointName="one")
    with pytest.raises(ClientError, match="Could not find"):
        account.sagemaker.describe_endpoint(EndpointName="two")
    control(account, "DELETE", "faults")
    with pytest.raises(ClientError, match="Could not find"):
        account.sagemaker.describe_endpoint(EndpointName="one")


def test_denied_dropped_and_late(account: Any) -> None:
    late = {"operation": "ListTags", "seconds": 60}
    faults = {"denied": [{"operation": "ListEndpoints"}], "dropped": [{"operation": "ListModels"}], "latency": [late]}
    control(account, "PUT", "faults", faults)
    with pytest.raises(ClientError, match="is not authorized to perform: sagemaker:ListEndpoints"):
        account.sagemaker.list_endpoints()
    with pytest.raises(ConnectionClosedError):
        account.sagemaker.list_models()
    begin = time.monotonic()
    with pytest.raises(ClientError):
        account.sagemaker.list_tags(ResourceArn="arn:aws:sagemaker:us-east-1:000000000000:model/none")
    assert time.monotonic() - begin >= 60 / account.simulation.clock.scale


@pytest.mark.parametrize("wrong", [{"weather": 1}, {"quota": 3}, {"errors": [1]}, {"lag_seconds": "x"}, [1]])
def test_a_fault_that_is_not_one_is_refused(account: Any, wrong: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(account, "PUT", "faults", wrong)
    assert refused.value.code == 400
    assert json.loads(refused.value.read())["error"]


def test_what_was_made_may_not_be_seen_at_once(account: Any) -> None:
    account.define("lagging")
    account.simulation.faults.put({"lag_seconds": 300.0})
    account.define("lagging-2")
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        account.sagemaker.create_endpoint(EndpointName="lagging", EndpointConfigName="lagging-2")
    account.simulation.faults.clear()
    account.sagemaker.describe_endpoint_config(EndpointConfigName="lagging-2")


def test_an_image_that_cannot_be_read_is_refused_at_the_door(account: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        control(account, "PUT", "images", {"team/own:2": {"server": "vllm", "version": "0.7.2", "cuda": [12, 4]}})
    assert "team/own:2" in json.loads(refused.value.read())["error"]
    assert "team/own:2" not in account.simulation.images


def test_quotas_are_listed_and_enforced_in_aws_words(account: Any, client: Callable[[str, str], Any]) -> None:
    quotas = client("service-quotas", account.simulation.url)
    pages = quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
    found = {quota["QuotaName"]: quota for page in pages for quota in page["Quotas"]}
    assert len(found) > 250
    control(account, "PUT", "faults", {"quota": {"ml.g6.48xlarge": 0}})
    code = found["ml.g6.48xlarge for endpoint usage"]["QuotaCode"]
    assert quotas.get_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"]["Value"] == 0
    account.define("too-much", InstanceType="ml.g6.48xlarge")
    with pytest.raises(ClientError) as refused:
        account.sagemaker.create_endpoint(EndpointName="too-much", EndpointConfigName="too-much")
    assert str(refused.value.response["Error"]["Message"]).startswith(
        "The account-level service limit 'ml.g6.48xlarge for endpoint usage' is 0 Instances, with current utilization "
        "of 0 Instances and a request delta of 1 Instances."
    )


def hub(account: Any, path: str, token: str = "", **headers: str) -> tuple[int, bytes, Any]:
    authorization = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(account.simulation.url + path, headers={**authorization, **headers})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), answer.headers
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read(), problem.headers


GATED = "meta-llama/Meta-Llama-3-8B-Instruct"


@pytest.mark.parametrize(
    ("path", "token", "status", "code"),
    [
        (f"/{GATED}/resolve/main/config.json", "", 401, "GatedRepo"),
        (f"/{GATED}/resolve/main/config.json", "hf_other", 403, "GatedRepo"),
        (f"/{GATED}/resolve/main/config.json", ACCEPTED_TOKEN, 200, None),
        (f"/api/models/{GATED}", "", 200, None),
        ("/Qwen/Qwen3-8B/resolve/main/config.json", "", 200, None),
        ("/api/models/nobody/nothing", "", 401, "RepoNotFound"),
        ("/api/models/nobody/nothing", "hf_other", 404, "RepoNotFound"),
        ("/api/models/Qwen/Qwen3-8B/revision/v9", "", 404, "RevisionNotFound"),
        ("/Qwen/Qwen3-8B/resolve/main/nothing.txt", "", 404, "EntryNotFound"),
    ],
)
def test_the_hub_grants_and_refuses_as_the_hub_does(
    account: Any, path: str, token: str, status: int, code: str | None
) -> None:
    found, _, headers = hub(account, path, token)
    assert (found, headers.get("X-Error-Code")) == (status, code)


def test_safetensors_headers_can_be_read_by_range(account: Any) -> None:
    _, body, _ = hub(account, "/api/models/Qwen/Qwen3-8B/revision/main?blobs=true")
    info = json.loads(body)
    shards = {s["rfilename"]: s["size"] for s in info["siblings"] if s["rfilename"].endswith(".safetensors")}
    name, size = next(iter(shards.items()))
    status, first, headers = hub(account, f"/Qwen/Qwen3-8B/resolve/main/{name}", Range="bytes=0-7")
    assert (status, headers["Content-Range"]) == (206, f"bytes 0-7/{size}")
    length = struct.unpack("<Q", first)[0]
    _, header, _ = hub(account, f"/Qwen/Qwen3-8B/resolve/main/{name}", Range=f"bytes=8-{7 + length}")
    tensors = json.loads(header)
    assert sum(tensor["shape"][0] * 2 for key, tensor in tensors.items() if key != "__metadata__") <= size
    assert 15 < sum(shards.values()) / 2**30 < 16
