"""What is asked of the world before planning, as one call that the doors can be given."""

from __future__ import annotations

from collections.abc import Callable

from inservice.contracts import DeploymentRequest
from inservice.errors import InServiceError
from inservice.planning.lookups import gather
from inservice.ports import Hub, Images, Lookups, Packages, Quotas, Secrets

Lookup = Callable[[DeploymentRequest], Lookups]


def lookup_with(
    *, hub: Hub, quotas: Quotas, images: Images, packages: Packages, secrets: Secrets, region: str
) -> Lookup:
    """Asks hub, quotas and registries about a request; the token is read here and goes nowhere else."""

    def lookup(request: DeploymentRequest) -> Lookups:
        token = None
        if request.hf_token_secret:
            try:
                token = secrets.read(request.hf_token_secret)
            except InServiceError:
                # Provision says so in words if the secret is really needed; planning goes on without it.
                token = None
        return gather(request, region=region, hub=hub, quotas=quotas, images=images, packages=packages, token=token)

    return lookup
