"""The embedded stack as `make up` runs it: real deployment, enforced roles, and nothing left behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.api import service_of
from embedded.programs import PartFailed
from embedded.stack import Stack, running

pytestmark = pytest.mark.stack
PROJECT = Path(__file__).parents[2]
KEYS = {
    "aws_endpoint_url", "sagemaker_endpoint_url", "slack_url", "api_url", "region", "access_key_id",
    "secret_access_key", "time_scale", "time_epoch", "state_machine_arn", "topic_arn", "bucket",
}  # fmt: skip


def members(root: int) -> set[int]:
    """A process and everything below it, from the kernel's table."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in table.splitlines()}
    found = {root}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def alive(processes: set[int]) -> set[int]:
    table = subprocess.run(["ps", "-eo", "pid=,stat="], capture_output=True, text=True, check=True).stdout
    running_now = {int(line.split()[0]) for line in table.splitlines() if not line.split()[1].startswith("Z")}
    return processes & running_now


def all_gone(processes: set[int], *, within: float = 20) -> bool:
    deadline = time.monotonic() + within
    while alive(processes):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def up(folder: Path, **environment: str) -> subprocess.Popen[str]:
    """`python -m embedded` in a folder of its own."""
    path = os.pathsep.join([str(PROJECT), str(PROJECT / "layers/core")])
    return subprocess.Popen(
        [sys.executable, "-m", "embedded"], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(folder), "TIME_SCALE": "60", **environment},
        start_new_session=True,
    )  # fmt: skip


def announced(folder: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    """What `.embedded/stack.json` says once the stack is ready."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        file = folder / ".embedded" / "stack.json"
        if file.is_file() and (text := file.read_text()).endswith("}\n"):
            return json.loads(text)
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    raise AssertionError("the stack was never announced")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running(time_scale=60, directory=tmp_path_factory.mktemp("stack")) as found:
        yield found


def test_stacks_run_side_by_side_and_each_leaves_nothing_however_it_ends(tmp_path: Path) -> None:
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
    folders = [tmp_path / number.name for number in numbers]
    for folder in folders:
        folder.mkdir()
    stacks = [up(folder) for folder in folders]
    try:
        found = [announced(folder, process) for folder, process in zip(folders, stacks, strict=True)]
        assert all(set(one) == KEYS for one in found)
        assert len({one["aws_endpoint_url"] for one in found}) == len(stacks)
        for at, (number, folder, process) in enumerate(zip(numbers, folders, stacks, strict=True)):
            assert all(service_of(one).call("GET", "/deployments")["deployments"] == [] for one in found[at:])
            processes = members(process.pid)
            assert len(processes) > 4
            process.send_signal(number)
            assert process.wait(timeout=40) == (-number if number == signal.SIGKILL else 0)
            assert all_gone(processes)
            assert not (folder / ".embedded" / "stack.json").exists()
            assert not list(folder.glob("inservice-*"))
    finally:
        for process in stacks:
            process.kill()
            process.communicate()


def test_a_part_that_does_not_start_is_named_and_the_others_are_stopped(tmp_path: Path) -> None:
    broken = (sys.executable, "-c", "raise SystemExit('the weights table is missing')")
    before = members(os.getpid())
    with pytest.raises(PartFailed) as failure, running(directory=tmp_path, simulator=broken):
        raise AssertionError("it must not come up")
    assert failure.value.part == "simulator"
    assert "the weights table is missing" in str(failure.value)
    assert all_gone(members(os.getpid()) - before)
    assert not (tmp_path / ".embedded" / "stack.json").exists()


def test_a_template_that_cannot_be_deployed_names_sam_and_shows_why(tmp_path: Path) -> None:
    for name in ("functions", "layers", "statemachine", "web"):
        (tmp_path / name).symlink_to(PROJECT / name)
    template = tmp_path / "template.yaml"
    shutil.copy(PROJECT / "template.yaml", template)
    template.write_text(template.read_text().replace("layers/core\n", "layers/nowhere\n"))
    with pytest.raises(PartFailed) as failure, running(directory=tmp_path, template=template):
        raise AssertionError("it must not come up")
    assert failure.value.part in ("sam build", "sam deploy")
    assert "nowhere" in str(failure.value)


def test_what_an_account_holds_before_the_first_deployment_is_there(stack: Stack) -> None:
    secrets = stack.client("secretsmanager")
    assert {secret["Name"] for secret in secrets.list_secrets()["SecretList"]} >= {"hf-token", "slack-webhook"}
    assert stack.client("s3").list_objects_v2(Bucket=stack.bucket)["KeyCount"] == 0
    with urllib.request.urlopen(stack.slack_url, timeout=5) as answer:
        assert json.load(answer) == []


def test_an_unsigned_call_is_refused(stack: Stack) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{stack.api_url}/deployments", timeout=30)
    assert refused.value.code == 403


def test_functions_have_their_roles_rights_and_no_others(stack: Stack) -> None:
    """The role of `poll` may read endpoints and no secret; the engine must hold it to that."""
    functions = stack.client("lambda").list_functions()["Functions"]
    role = next(function["Role"] for function in functions if "PollFunction" in function["FunctionName"])
    iam = stack.client("iam")
    name = role.rpartition("/")[2]
    trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    trust["Statement"].append({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"})
    iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))
    taken = stack.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    as_poll = boto3.Session(
        taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"], region_name=stack.region
    )
    with pytest.raises(ClientError, match=r"not authorized|AccessDenied"):
        as_poll.client("secretsmanager", endpoint_url=stack.aws_endpoint_url).get_secret_value(SecretId="hf-token")
    with pytest.raises(ClientError, match=r"ResourceNotFound|does not exist"):
        as_poll.client("logs", endpoint_url=stack.aws_endpoint_url).filter_log_events(
            logGroupName="/aws/sagemaker/Endpoints/nobody"
        )
