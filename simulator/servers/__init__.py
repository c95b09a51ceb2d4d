"""What each server prints and does at start, from the environment its container gets."""

from __future__ import annotations

from simulator.servers import tgi, vllm
from simulator.servers.start import Start

__all__ = ["Start", "start_of"]


def start_of(server: str, version: str, environment: dict[str, str], machine: object, hub_token: str) -> Start:
    """The start of one container. LMI and SGLang are played by vLLM's lines until they have their own."""
    if server == "tgi":
        return tgi.start(version, environment, machine, hub_token)  # type: ignore[arg-type]
    return vllm.start(server, version, environment, machine, hub_token)  # type: ignore[arg-type]
