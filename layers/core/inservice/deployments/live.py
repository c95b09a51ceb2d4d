"""What is live: the request, plan and config of each endpoint's latest success, from which it can be deployed anew."""

from __future__ import annotations

from inservice.ports import Deployments, LiveEndpoint, LiveEndpoints


def remember_live(deployment_id: str, *, deployments: Deployments, live: LiveEndpoints) -> None:
    """Notes a deployment that has just succeeded; an older one that is told again changes nothing."""
    facts = deployments.read(deployment_id) or {}
    endpoint = facts.get(f"attempt.{facts.get('attempt_count')}.endpoint") or {}
    live.put(
        LiveEndpoint(
            endpoint_name=facts["endpoint_name"],
            deployment_id=deployment_id,
            deployed_at=facts["timeline.closed"]["at"],
            config_name=endpoint.get("endpoint_config_name", ""),
            request=facts["request"],
            plan=facts.get("plan") or {},
        )
    )


def package_of(arn: str) -> tuple[str, int]:
    """(group in lower case, version) of arn:…:model-package/GROUP/VERSION; ("", 0) for anything else.

    Events spell the group in lower case (SageMaker's sample events), requests as it was created.
    """
    group, _, version = arn.partition(":model-package/")[2].partition("/")
    return (group.lower(), int(version)) if group and version.isdigit() else ("", 0)
