"""Simulators as users start them (the command, a free port, fast), and one inside the test for what needs no life."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from simulator.settings import Settings
from simulator.simulation import Simulation
from simulator.web import Server

ROOT = Path(__file__).parents[2]


@contextmanager
def running_simulator(folder: Path, *arguments: str) -> Iterator[tuple[str, int]]:
    """(URL, process id) of `python -m simulator` with these arguments."""
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "simulator", "--ready-file", str(ready), *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    until = time.monotonic() + 20
    while not ready.exists() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    assert ready.exists(), "the simulator did not start"
    try:
        yield json.loads(ready.read_text())["url"], process.pid
    finally:
        process.terminate()
        assert process.wait(timeout=15) == 0


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_simulator(tmp_path_factory.mktemp("simulator"), "--time-scale", "120") as (address, _):
        yield address


@pytest.fixture(scope="module")
def served() -> Iterator[Simulation]:
    """A simulation inside this process, served on a loopback port, 300 times faster."""
    simulation = Simulation(Settings(time_scale=300.0, epoch=time.time()))
    server = Server(0, simulation)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield simulation
    server.shutdown()
    server.server_close()
    simulation.stop()


@pytest.fixture
def client() -> Callable[[str, str], Any]:
    return make_client


@pytest.fixture
def sagemaker(url: str) -> Any:
    return make_client("sagemaker", url)


@pytest.fixture
def runtime(url: str) -> Any:
    return make_client("sagemaker-runtime", url)


def make_client(service: str, url: str) -> Any:
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="someone", aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=60),
    )  # fmt: skip
