"""Clients of the engine, with the credentials of the environment."""

from __future__ import annotations

import os
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(retries={"total_max_attempts": 2}, connect_timeout=3, read_timeout=20, max_pool_connections=20)


class Engine:
    """The engine's address; clients are made on first use, since making one costs a tenth of a second."""

    def __init__(self, url: str, region: str) -> None:
        self.url, self.region = url, region
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """The client of a service."""
        if service not in self._clients:
            make: Any = boto3.client
            self._clients[service] = make(
                service, endpoint_url=self.url, region_name=self.region, config=_CONFIG,
                aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "simulator"),
                aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "simulator"),
                aws_session_token=os.environ.get("AWS_SESSION_TOKEN"),
            )  # fmt: skip
        return self._clients[service]
