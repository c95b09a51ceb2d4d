"""A request that brings its own image or package is planned for the server in it."""

from __future__ import annotations

from typing import Any

from inservice.planning import plan_document
from inservice.planning.tables import image_uri, images
from inservice.ports import Lookups, Package

ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/chat/1"
TGI = next(image for image in images("tgi") if image.version == "3.3.6")
OLD = images("tgi")[0]


def planned(package: Package | None = None, **request: Any) -> Any:
    return plan_document({"instance_type": "ml.g5.2xlarge", **request}, lookups=Lookups(package=package))


def test_a_catalogue_image_says_its_server_version_and_host_ami() -> None:
    uri = str(image_uri(TGI, "eu-west-1"))
    plan = planned(model={"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, image_uri=uri).plan
    assert (plan.server, plan.server_version, plan.image_uri) == ("tgi", "3.3.6", uri)
    assert plan.inference_ami_version
    assert "HF_MODEL_ID" in plan.environment


def test_a_catalogue_image_too_old_for_the_model_is_refused() -> None:
    planning = planned(model={"hub_id": "Qwen/Qwen3-8B"}, image_uri=str(image_uri(OLD, "us-east-1")))
    assert not planning.accepted
    assert "IMAGE_CANNOT_SERVE" in {finding.code for finding in planning.findings}


def test_an_unknown_image_is_planned_for_the_named_server_and_no_version_is_claimed() -> None:
    plan = planned(model={"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, image_uri="1.dkr.ecr.x.amazonaws.com/mine:1").plan
    assert (plan.server, plan.server_version, plan.inference_ami_version) == ("vllm", None, None)


def test_an_own_image_is_started_on_the_host_that_its_tag_needs() -> None:
    own = {"model": {"hub_id": "Qwen/Qwen2.5-7B-Instruct"}, "image_uri": "1.dkr.ecr.x.amazonaws.com/mine:1-cu130-py312"}
    assert planned(**own).plan.inference_ami_version == "al2023-ami-sagemaker-inference-gpu-4-1"
    older = planned(**own | {"instance_type": "ml.p3.2xlarge"})
    assert "GPU_TOO_OLD" in {finding.code for finding in older.findings}


def test_a_package_is_planned_from_what_is_in_it() -> None:
    inside = {"HF_MODEL_ID": "Qwen/Qwen2.5-7B-Instruct", "MAX_TOTAL_TOKENS": "3072", "OWN": "kept"}
    package = Package(str(image_uri(TGI, "us-east-1")), inside)
    planning = planned(package, model={"model_package_arn": ARN})
    plan = planning.plan
    assert planning.accepted
    assert (plan.server, plan.environment["HF_MODEL_ID"]) == ("tgi", "Qwen/Qwen2.5-7B-Instruct")
    assert (plan.environment["MAX_TOTAL_TOKENS"], plan.environment["OWN"]) == ("3072", "kept")
    assert plan.memory.weights_gib, "its size is known, so its memory is"


def test_the_requests_own_words_come_before_the_packages() -> None:
    package = Package(
        str(image_uri(TGI, "us-east-1")), {"HF_MODEL_ID": "Qwen/Qwen2.5-7B-Instruct", "MAX_TOTAL_TOKENS": "3072"}
    )
    plan = planned(package, model={"model_package_arn": ARN}, max_total_tokens=2048).plan
    assert plan.environment["MAX_TOTAL_TOKENS"] == "2048"
