"""The embedded stack from start to stop: the engine, the simulator, the sink, and the template deployed on them."""

from __future__ import annotations

import contextlib
import functools
import json
import secrets
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import boto3
from inservice.clock import Clock

from embedded.building import PROJECT, Build
from embedded.deploying import HUB_TOKEN, api_url, deploy, outputs, prepare
from embedded.engine import REGION, await_engine, start_engine
from embedded.programs import Program, free_port, plain_environment, written_json
from embedded.sink import slack_sink

SIMULATOR = (sys.executable, "-m", "simulator")
_SIMULATOR_SECONDS = 60.0
# What is said when a part begins ("…") and when it is there.
Report = Callable[[str], None]


@dataclass(frozen=True)
class Stack:
    """Where the running stack is, as `.embedded/stack.json` says it."""

    aws_endpoint_url: str
    sagemaker_endpoint_url: str
    slack_url: str
    api_url: str
    region: str
    access_key_id: str
    secret_access_key: str
    time_scale: float
    time_epoch: float
    state_machine_arn: str
    topic_arn: str
    bucket: str

    def execution_arn(self, name: str) -> str:
        """The ARN of the state machine's execution of that name."""
        return self.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{name}"

    def calls(self, execution: str) -> list[tuple[str, dict[str, Any]]]:
        """Every call of a function in an execution's history, in order: (state, what Lambda was asked)."""
        pages = self.client("stepfunctions").get_paginator("get_execution_history")
        found: list[tuple[str, dict[str, Any]]] = []
        state = ""
        for page in pages.paginate(executionArn=self.execution_arn(execution)):
            for event in page["events"]:
                if event["type"] == "TaskStateEntered":
                    state = event["stateEnteredEventDetails"]["name"]
                if event["type"] == "TaskScheduled":
                    found.append((state, json.loads(event["taskScheduledEventDetails"]["parameters"])))
        return found

    def client(self, service: Any) -> Any:
        """A boto3 client of this stack's administrator; SageMaker's and Service Quotas' talk to the simulator."""
        simulated = service.startswith(("sagemaker", "service-quotas"))
        url = self.sagemaker_endpoint_url if simulated else self.aws_endpoint_url
        return _client(self.access_key_id, self.secret_access_key, service, url)


@contextmanager
def running(
    *, time_scale: float = 1.0, directory: Path | None = None, template: Path = PROJECT / "template.yaml",
    simulator: Sequence[str] = SIMULATOR, report: Report = lambda part: None,
    parameters: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Stack]:  # fmt: skip
    """A running stack, announced in `directory`/.embedded/stack.json; everything is stopped and removed afterwards.

    Raises PartFailed, naming the part, when one does not start.
    """
    state = Path(tempfile.mkdtemp(prefix="inservice-"))
    announcement = (directory or Path.cwd()) / ".embedded" / "stack.json"
    with ExitStack() as ending:
        ending.callback(shutil.rmtree, state, ignore_errors=True)
        start = _Start(state, announcement, time_scale, template, simulator, ending, report, parameters)
        stack = start.everything()
        announcement.parent.mkdir(parents=True, exist_ok=True)
        announcement.write_text(json.dumps(asdict(stack), indent=1) + "\n")
        ending.callback(_withdraw, announcement, announcement.read_text())
        yield stack


def _withdraw(announcement: Path, ours: str) -> None:
    """Another stack may have been announced in the same folder since; its announcement stays."""
    with contextlib.suppress(FileNotFoundError):
        if announcement.read_text() == ours:
            announcement.unlink()


@dataclass(frozen=True)
class _Start:
    """What starting needs to know; every part it starts is left to `ending` to stop."""

    state: Path
    announcement: Path
    time_scale: float
    template: Path
    simulator: Sequence[str]
    ending: ExitStack
    report: Report
    parameters: Mapping[str, str]

    def everything(self) -> Stack:
        clock = Clock(self.time_scale, time.time())
        credentials = {
            "AWS_ACCESS_KEY_ID": f"AKIA{secrets.token_hex(8).upper()}",
            "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
            "AWS_DEFAULT_REGION": REGION,
        }
        engine_url = f"http://127.0.0.1:{free_port()}"
        self.report("sam build, the simulator and the engine")
        build = Build(self.template, self.state)
        self.ending.callback(build.stop)
        slack_url = self.ending.enter_context(slack_sink(clock))
        shared = {**credentials, "INSERVICE_STACK": uuid.uuid4().hex, "AWS_ENDPOINT_URL": engine_url}
        simulator_url = self._start_simulator(shared, clock, engine_url)
        self._start_engine(shared, clock, engine_url, simulator_url)
        session = _session(credentials["AWS_ACCESS_KEY_ID"], credentials["AWS_SECRET_ACCESS_KEY"])
        prepare(session, engine_url, slack_url)
        built = build.finish()
        self.report("sam deploy of template.yaml")
        deployment = deploy(
            built, state=self.state, credentials=credentials, engine_url=engine_url, more=self.parameters
        )  # fmt: skip
        self.ending.callback(deployment.stop)
        found = outputs(deployment, session, engine_url)
        return Stack(
            aws_endpoint_url=engine_url,
            sagemaker_endpoint_url=simulator_url,
            slack_url=slack_url,
            api_url=api_url(found, engine_url),
            region=REGION,
            access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            time_scale=clock.scale,
            time_epoch=clock.epoch,
            state_machine_arn=found["StateMachineArn"],
            topic_arn=found["TopicArn"],
            bucket=found["BucketName"],
        )

    def _start_simulator(self, shared: dict[str, str], clock: Clock, engine_url: str) -> str:
        ready = self.state / "simulator.json"
        arguments = {
            "--port": "0", "--time-scale": repr(clock.scale), "--epoch": repr(clock.epoch), "--region": REGION,
            "--engine": engine_url, "--hub-token": HUB_TOKEN, "--ready-file": str(ready),
        }  # fmt: skip
        temporary = self.state / "simulator"
        temporary.mkdir()
        program = Program(
            "simulator", [*self.simulator, *(word for pair in arguments.items() for word in pair)],
            environment=plain_environment(**shared, TMPDIR=str(temporary)),
            log=self.state / "simulator.log", cwd=PROJECT, leftovers=self._leftovers(),
        )  # fmt: skip
        self.ending.callback(program.stop)
        url: str = program.wait_until(lambda: written_json(ready), seconds=_SIMULATOR_SECONDS)["url"]
        return url.rstrip("/")

    def _start_engine(self, shared: dict[str, str], clock: Clock, engine_url: str, simulator_url: str) -> None:
        inherited = {
            **shared,
            "AWS_ENDPOINT_URL_SAGEMAKER": simulator_url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": simulator_url,
            "AWS_ENDPOINT_URL_SERVICE_QUOTAS": simulator_url,
            "HF_ENDPOINT": simulator_url,
            "INSERVICE_TIME_SCALE": repr(clock.scale),
            "INSERVICE_TIME_EPOCH": repr(clock.epoch),
        }
        engine = start_engine(
            port=int(engine_url.rpartition(":")[2]), state=self.state, environment=inherited,
            time_scale=self.time_scale, leftovers=self._leftovers(),
        )  # fmt: skip
        self.ending.callback(engine.stop)
        await_engine(engine, engine_url)

    def _leftovers(self) -> tuple[Path, ...]:
        return (self.state, self.announcement)


@functools.cache
def _client(access_key_id: str, secret_access_key: str, service: str, url: str) -> Any:
    """Clients are safe to share between threads; making one takes up to half a second (SageMaker's model is large)."""
    session = _session(access_key_id, secret_access_key)
    return session.client(service, endpoint_url=url)  # type: ignore[call-overload]  # typed for literal names


def _session(access_key_id: str, secret_access_key: str) -> boto3.Session:
    return boto3.Session(access_key_id, secret_access_key, region_name=REGION)
