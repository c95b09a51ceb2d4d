"""What the simulator is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass

ACCEPTED_TOKEN = "hf_made_up_token_accepted_by_the_simulator"


@dataclass(frozen=True)
class Settings:
    """Fixed for the life of one simulator; `engine` is the URL of an AWS emulator for logs, metrics and events."""

    region: str = "us-east-1"
    account: str = "000000000000"
    time_scale: float = 1.0
    epoch: float = 0.0
    engine: str | None = None
    hub_token: str = ACCEPTED_TOKEN
    default_quota: int = 10
    seed: int = 0
    lag_seconds: float = 0.0
