"""Settle: an endpoint that is deployed loses the alarms of its update, and belongs to this deployment from now on."""

from __future__ import annotations

from inservice.clock import Clock
from inservice.commands import Settle
from inservice.contracts import Settled
from inservice.ports import Alarms, Hosting
from inservice.provisioning.alarms import alarm_names
from inservice.provisioning.definitions import EXPIRES_TAG, tags_of


def settle(command: Settle, *, hosting: Hosting, alarms: Alarms, clock: Clock) -> Settled:
    """Removes the update's alarms; an updated endpoint gets this request's tags, and its lease or none."""
    name = command.endpoint.endpoint_name
    if command.endpoint.created:
        return Settled(removed=(), lease_ends_at=None)
    gone = alarms.delete(alarm_names(name, command.deployment_id))
    tags = tags_of(command.request, name, command.deployment_id, clock.now())
    hosting.tag_endpoint(command.endpoint.endpoint_arn, tags)
    ends = next((tag["Value"] for tag in tags if tag["Key"] == EXPIRES_TAG), None)
    if ends is None:
        # The request is the whole wish: without ttl_hours the endpoint is to stay, whatever an older one said.
        hosting.untag_endpoint(command.endpoint.endpoint_arn, (EXPIRES_TAG,))
    return Settled(removed=tuple(f"alarm {alarm}" for alarm in gone), lease_ends_at=ends)
