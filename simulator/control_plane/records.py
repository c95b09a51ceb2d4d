"""What the service keeps, and how it names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulator.wire.errors import AwsError, validation

if TYPE_CHECKING:
    from simulator.fleet.fleet import Fleet

IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack")
# How SageMaker's messages call each kind of resource.
_NOUNS = {"endpoint": "endpoint", "endpoint-config": "endpoint configuration", "model": "model"}


@dataclass
class Endpoint:
    """An endpoint's standing: `config` is what serves, `pending` what it is moving to."""

    name: str
    arn: str
    status: str
    config: str
    created: float
    modified: float
    pending: str | None = None
    reason: str | None = None
    fleet: Fleet | None = None
    pending_fleet: Fleet | None = None
    policy: dict[str, Any] | None = None
    variant_status: dict[str, Any] | None = None
    tags: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Names:
    """ARNs of one account and region; SageMaker keeps them in lower case."""

    region: str
    account: str

    def arn(self, kind: str, name: str) -> str:
        """A resource's ARN."""
        return f"arn:aws:sagemaker:{self.region}:{self.account}:{kind}/{name.lower()}"

    def missing(self, kind: str, name: str) -> AwsError:
        """Could not find ..."""
        return validation(f'Could not find {_NOUNS[kind]} "{self.arn(kind, name)}".')

    def taken(self, kind: str, name: str) -> AwsError:
        """Cannot create already existing ..."""
        return validation(f'Cannot create already existing {_NOUNS[kind]} "{self.arn(kind, name)}".')
