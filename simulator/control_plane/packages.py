"""Model packages and tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.control_plane.listing import page
from simulator.wire.errors import validation

if TYPE_CHECKING:
    from simulator.simulation import Simulation

_MOST_TAGS = 50


def create_group(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """CreateModelPackageGroup."""
    name = asked["ModelPackageGroupName"]
    arn = simulation.names.arn("model-package-group", name)
    if name.lower() in simulation.package_groups:
        raise validation(f"Model Package Group already exists: {arn}")
    simulation.package_groups[name.lower()] = {**asked, "ModelPackageGroupArn": arn}
    return {"ModelPackageGroupArn": arn}


def create_package(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """CreateModelPackage: the next version of its group, completed at once."""
    group = asked.get("ModelPackageGroupName")
    if not group or group.lower() not in simulation.package_groups:
        raise validation(f"ModelPackageGroup {group} does not exist.")
    version = 1 + sum(p["ModelPackageGroupName"].lower() == group.lower() for p in simulation.packages.values())
    arn, now = f"{simulation.names.arn('model-package', group)}/{version}", simulation.clock.now()
    package = {
        **{key: value for key, value in asked.items() if key not in ("Tags", "ClientToken")}, "ModelPackageArn": arn,
        "ModelPackageVersion": version, "CreationTime": now, "LastModifiedTime": now, "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "ModelApprovalStatus": asked.get("ModelApprovalStatus", "PendingManualApproval"),
    }  # fmt: skip
    simulation.packages[arn] = package
    simulation.events.package(package)
    return {"ModelPackageArn": arn}


def describe_package(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DescribeModelPackage, by ARN."""
    found = simulation.package(asked["ModelPackageName"])
    return {**found, "ModelPackageName": found["ModelPackageGroupName"]}


def update_package(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """UpdateModelPackage: approval is what redeploys listen to."""
    package = simulation.package(asked["ModelPackageArn"])
    changed = {key: value for key, value in asked.items() if key in ("ModelApprovalStatus", "ApprovalDescription")}
    package |= changed | {"LastModifiedTime": simulation.clock.now()}
    simulation.events.package(package)
    return {"ModelPackageArn": package["ModelPackageArn"]}


def list_packages(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """ListModelPackages, of one group or all."""
    group, approval = asked.get("ModelPackageGroupName"), asked.get("ModelApprovalStatus")
    group = group.rsplit("/", 1)[-1].lower() if group else None
    rows = [
        package for package in simulation.packages.values()
        if group in (None, package["ModelPackageGroupName"].lower())
        and approval in (None, package["ModelApprovalStatus"])
    ]  # fmt: skip
    return page("ModelPackageSummaryList", rows, asked, "ModelPackageGroupName")


def add_tags(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """AddTags: the same key again replaces its value."""
    tags = _tags(simulation, asked["ResourceArn"])
    merged = {tag["Key"]: tag["Value"] for tag in [*tags, *asked["Tags"]]}
    if len(merged) > _MOST_TAGS:
        raise validation(f"A resource can have at most {_MOST_TAGS} tags.")
    tags[:] = [{"Key": key, "Value": value} for key, value in merged.items()]
    return {"Tags": tags}


def delete_tags(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """DeleteTags."""
    tags = _tags(simulation, asked["ResourceArn"])
    tags[:] = [tag for tag in tags if tag["Key"] not in asked["TagKeys"]]
    return {}


def list_tags(simulation: Simulation, asked: dict[str, Any]) -> dict[str, Any]:
    """ListTags, in pages."""
    rows = [{**tag, "CreationTime": 0.0} for tag in _tags(simulation, asked["ResourceArn"])]
    return page("Tags", rows, {**asked, "MaxResults": asked.get("MaxResults") or _MOST_TAGS, "SortOrder": "Ascending"},
                "Key")  # fmt: skip


def _tags(simulation: Simulation, arn: str) -> list[dict[str, str]]:
    found = simulation.tags.get(arn.lower(), simulation.tags.get(arn))
    if found is None:
        raise validation(f'Could not find resource "{arn}".')
    return found
