"""Every port by the name that functions ask for it, built from the Lambda's environment on first use."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

from inservice.adapters.alarms import CloudWatchAlarms
from inservice.adapters.dead_letters import SqsDeadLetters
from inservice.adapters.executions import StepFunctionsExecutions, TopicAnnouncements
from inservice.adapters.hosting import SageMakerHosting
from inservice.adapters.hub import HubClient
from inservice.adapters.inventory import SageMakerInventory
from inservice.adapters.invocations import SageMakerInvocations
from inservice.adapters.live_endpoints import DynamoLiveEndpoints
from inservice.adapters.logs import CloudWatchLogs
from inservice.adapters.lookups import EcrImages, SageMakerPackages, SecretsManagerSecrets, ServiceQuotas
from inservice.adapters.metrics import CloudWatchMetrics
from inservice.adapters.table import DynamoDeployments
from inservice.clock import clock_from
from inservice.deployments.journal import Journal
from inservice.deployments.outcome import Links
from inservice.planning.asking import lookup_with


@functools.cache
def port(name: str) -> Any:
    """The port of that name."""
    return PORTS[name]()


def _journal() -> Journal:
    return Journal(port("deployments"), port("clock"), port("links"))


def _links() -> Links:
    return Links(port("region"), os.environ.get("API_URL", ""), os.environ.get("STATE_MACHINE_ARN", ""))


def _lookup() -> Any:
    return lookup_with(
        hub=HubClient(os.environ.get("HF_ENDPOINT", "https://huggingface.co")),
        quotas=ServiceQuotas(),
        images=EcrImages(),
        packages=SageMakerPackages(),
        secrets=port("secrets"),
        region=port("region"),
    )


PORTS: dict[str, Callable[[], Any]] = {
    "alarms": CloudWatchAlarms,
    "announcements": lambda: TopicAnnouncements(os.environ["TOPIC_ARN"]),
    "clock": clock_from,
    "cors_origin": lambda: os.environ.get("CORS_ORIGIN", ""),
    "dead_letters": lambda: SqsDeadLetters(os.environ["DEAD_LETTERS_URL"]),
    "deployments": lambda: DynamoDeployments(os.environ["TABLE_NAME"]),
    "execution_role_arn": lambda: os.environ["EXECUTION_ROLE_ARN"],
    "executions": lambda: StepFunctionsExecutions(os.environ["STATE_MACHINE_ARN"]),
    "hosting": SageMakerHosting,
    "inventory": SageMakerInventory,
    "invocations": SageMakerInvocations,
    "journal": _journal,
    "links": _links,
    "live": lambda: DynamoLiveEndpoints(os.environ["TABLE_NAME"]),
    "logs": CloudWatchLogs,
    "lookup": _lookup,
    "metrics": CloudWatchMetrics,
    "region": lambda: os.environ["AWS_REGION"],
    "secrets": SecretsManagerSecrets,
}
