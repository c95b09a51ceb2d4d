"""Many endpoints at once, at several speeds, and what is left when the simulator goes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulator.settings import ACCEPTED_TOKEN

from .conftest import ROOT, Account, running_simulator

pytestmark = [pytest.mark.slow, pytest.mark.timed]
LLAMA = "meta-llama/Meta-Llama-3-8B-Instruct"


def deploy_many(sagemaker: Any, count: int) -> dict[str, tuple[str, float]]:
    """Deploys `count` endpoints, every fourth wrong in a way of its own; name to (status, virtual seconds)."""
    for number in range(count):
        environment = {"HF_MODEL_ID": LLAMA, "HF_TOKEN": ACCEPTED_TOKEN if number % 4 else ""}
        name = f"one-{number:02d}"
        sagemaker.create_model(ModelName=name, ExecutionRoleArn=Account.role,
                               PrimaryContainer={"Image": Account.tgi, "Environment": environment})  # fmt: skip
        variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1,
                   "InstanceType": "ml.g5.2xlarge", "ContainerStartupHealthCheckTimeoutInSeconds": 300}  # fmt: skip
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return {name: settled(sagemaker, name) for name in (f"one-{number:02d}" for number in range(count))}


def settled(sagemaker: Any, name: str) -> tuple[str, float]:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        found = sagemaker.describe_endpoint(EndpointName=name)
        if found["EndpointStatus"] != "Creating":
            took = (found["LastModifiedTime"] - found["CreationTime"]).total_seconds()
            return found["EndpointStatus"], took
        time.sleep(0.05)
    raise AssertionError(f"{name} did not settle")


def memory_mib(leader: int) -> float:
    """Proportional memory of a process and all below it."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(pid): int(parent) for pid, parent in (line.split() for line in listing.splitlines())}
    family, grew = {leader}, True
    while grew:
        more = {pid for pid, parent in parents.items() if parent in family} - family
        family, grew = family | more, bool(more)
    return sum(_proportional(pid) for pid in family) / 1024


def _proportional(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def test_fifty_endpoints_at_once_all_settle_rightly_within_1_5_gb(
    tmp_path: Path, client: Callable[[str, str], Any]
) -> None:
    with running_simulator(tmp_path, "--time-scale", "60", "--quota", "99") as (url, leader):
        verdicts = deploy_many(client("sagemaker", url), 50)
        used = memory_mib(leader)
    assert Counter(status for status, _ in verdicts.values()) == {"InService": 37, "Failed": 13}
    assert all((status == "Failed") == (int(name[-2:]) % 4 == 0) for name, (status, _) in verdicts.items())
    assert used < 1500


def test_verdicts_and_virtual_durations_do_not_depend_on_the_speed(
    tmp_path: Path, client: Callable[[str, str], Any]
) -> None:
    found = []
    for scale in ("20", "60", "120"):
        folder = tmp_path / scale
        folder.mkdir()
        with running_simulator(folder, "--time-scale", scale, "--quota", "99") as (url, _):
            found.append(deploy_many(client("sagemaker", url), 20))
    slowest = found[0]
    for faster in found[1:]:
        for name, (status, seconds) in slowest.items():
            assert faster[name][0] == status
            assert faster[name][1] == pytest.approx(seconds, rel=0.05)


def test_it_starts_in_under_two_seconds_and_its_help_stands_on_its_own(tmp_path: Path) -> None:
    begin = time.monotonic()
    with running_simulator(tmp_path):
        took = time.monotonic() - begin
    assert took < 2
    text = subprocess.run([sys.executable, "-m", "simulator", "--help"], cwd=ROOT, capture_output=True, text=True,
                          check=True).stdout  # fmt: skip
    assert "--time-scale" in text
    assert "--engine" in text


def test_no_container_outlives_a_killed_simulator(tmp_path: Path, client: Callable[[str, str], Any]) -> None:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "simulator", "--time-scale", "120", "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    while not ready.exists():
        assert process.poll() is None
        time.sleep(0.02)
    deploy_many(client("sagemaker", json.loads(ready.read_text())["url"]), 2)
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listing.splitlines()]
    servers = [pid for pid, parent in pairs if parent == process.pid]
    containers = [pid for pid, parent in pairs if parent in servers]
    assert containers
    process.send_signal(signal.SIGKILL)
    process.wait()
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() and not _zombie(pid) for pid in (*servers, *containers)):
        assert time.monotonic() < until, "containers are left"
        time.sleep(0.02)


def _zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"
    except OSError:
        return True
