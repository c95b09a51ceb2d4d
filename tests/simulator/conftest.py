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
from typing import Any, ClassVar

import boto3
import pytest
from botocore.config import Config

from simulator.settings import ACCEPTED_TOKEN, Settings
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
    simulation = Simulation(Settings(time_scale=300.0, epoch=time.time(), default_quota=100))
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


class Account:
    """A user of one simulated account: deploys, waits, looks."""

    registry = "763104351884.dkr.ecr.us-east-1.amazonaws.com"
    tgi = f"{registry}/huggingface-pytorch-tgi-inference:2.7.0-tgi3.3.6-gpu-py311-cu124-ubuntu22.04"
    vllm = f"{registry}/vllm:0.30.0-gpu-py312-cu130-ubuntu24.04-sagemaker"
    ami12, ami13 = "al2-ami-sagemaker-inference-gpu-3-1", "al2023-ami-sagemaker-inference-gpu-4-1"
    role = "arn:aws:iam::000000000000:role/execution"
    llama: ClassVar = {"HF_MODEL_ID": "meta-llama/Meta-Llama-3-8B-Instruct", "HF_TOKEN": ACCEPTED_TOKEN}

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.sagemaker = make_client("sagemaker", simulation.url)
        self.runtime = make_client("sagemaker-runtime", simulation.url)

    def define(self, name: str, environment: dict[str, str] | None = None, *, image: str = "", container: Any = None,
               **variant: Any) -> None:  # fmt: skip
        """A model and an endpoint configuration of that name."""
        given = {"Image": image or self.tgi, "Environment": self.llama if environment is None else environment}
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer={**given, **(container or {})}
        )
        wanted = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1,
                  "InferenceAmiVersion": self.ami12} | variant  # fmt: skip
        if "InstancePools" not in wanted:
            wanted.setdefault("InstanceType", "ml.g5.2xlarge")
        self.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[wanted])

    def deploy(self, name: str, environment: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
        """Defines and creates an endpoint, and waits for its end."""
        self.define(name, environment, **more)
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        return self.settled(name)

    def serving(self, name: str) -> str:
        """The name of an endpoint in service, deployed on first use."""
        if name.lower() not in self.simulation.endpoints:
            assert self.deploy(name)["EndpointStatus"] == "InService"
        return name

    def settled(self, name: str) -> dict[str, Any]:
        """The endpoint's description once nothing is under way."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            found = self.sagemaker.describe_endpoint(EndpointName=name)
            if found["EndpointStatus"] not in ("Creating", "Updating", "Deleting"):
                return found
            time.sleep(0.02)
        raise AssertionError(f"{name} did not settle: {found['EndpointStatus']}")

    def lines(self, name: str) -> list[str]:
        """What the endpoint's containers printed."""
        group = f"/aws/sagemaker/Endpoints/{name}"
        return [line["message"] for line in self.simulation.logs.lines(group)]

    def chat(self, name: str, **more: Any) -> dict[str, Any]:
        """One chat request's answer."""
        body = {"messages": [{"role": "user", "content": "Say hello."}], **more}
        answer = self.runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=json.dumps(body))
        return json.loads(answer["Body"].read())


@pytest.fixture
def account(served: Simulation) -> Iterator[Account]:
    """An account without faults."""
    served.faults.clear()
    yield Account(served)
    served.faults.clear()
