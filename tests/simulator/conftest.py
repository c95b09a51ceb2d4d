"""A simulator as users start it: the command, a free port, 120 times faster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    ready = tmp_path_factory.mktemp("simulator") / "ready.json"
    path = os.pathsep.join((str(ROOT), str(ROOT / "layers/core")))
    command = [sys.executable, "-m", "simulator", "--time-scale", "120", "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": path})
    until = time.monotonic() + 20
    while not ready.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert ready.exists(), "the simulator did not start"
    yield json.loads(ready.read_text())["url"]
    process.terminate()
    assert process.wait(timeout=10) == 0


@pytest.fixture
def sagemaker(url: str) -> Any:
    return _client("sagemaker", url)


@pytest.fixture
def runtime(url: str) -> Any:
    return _client("sagemaker-runtime", url)


def _client(service: str, url: str) -> Any:
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="someone", aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
