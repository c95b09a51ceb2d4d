"""MiniStack, the engine: AWS's services on one loopback port, with IAM enforced and state in a temporary folder.

Run as a module it is the engine's own process. It starts the functions with the interpreter *below* the virtual
environment, so that they see their layers and nothing else, as on AWS.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from embedded.programs import Program, answers, plain_environment

REGION = "us-east-1"
ACCOUNT = "000000000000"
_START_SECONDS = 60.0
_UNPACKING = threading.Lock()
# A traceback's last line, at the margin: the exception's class with its module, and what it says.
_RAISED = re.compile(r"^(?:\w+\.)*([A-Z]\w*)(?::.*)?$", re.MULTILINE)


def start_engine(
    *, port: int, state: Path, environment: Mapping[str, str], time_scale: float, leftovers: tuple[Path, ...]
) -> Program:
    """Starts the engine; `environment` is what its functions are to inherit."""
    temporary = state / "engine"
    temporary.mkdir()
    return Program(
        "engine",
        [sys.executable, "-m", "embedded.engine"],
        environment=plain_environment(
            **environment,
            AUTH="true",
            GATEWAY_PORT=str(port),
            BIND_HOST="127.0.0.1",
            MINISTACK_HOST="127.0.0.1",
            MINISTACK_ACCOUNT_ID=ACCOUNT,
            MINISTACK_REGION=REGION,
            LAMBDA_EXECUTOR="local",
            SFN_WAIT_SCALE=repr(1 / time_scale),
            # A burst leaves a worker of 65 MB for each call that ran at once; MiniStack keeps them for five minutes.
            LAMBDA_WARM_TTL_SECONDS="60",
            TMPDIR=str(temporary),
            STATE_DIR=str(temporary / "state"),
            S3_DATA_DIR=str(temporary / "s3"),
            LOG_LEVEL="WARNING",
            # Its other listeners would take fixed ports on every interface.
            IOT_MTLS_ENABLED="false",
            SFTP_ENABLED="false",
            # Docker is neither needed nor looked for.
            DOCKER_HOST=f"unix://{temporary}/no-docker.sock",
            PYTHONNOUSERSITE="1",
        ),
        log=state / "engine.log",
        cwd=Path(__file__).parents[1],
        leftovers=leftovers,
    )


def await_engine(engine: Program, url: str) -> None:
    """Waits until the engine answers; PartFailed when it does not."""
    engine.wait_until(lambda: answers(f"{url}/_ministack/health"), seconds=_START_SECONDS)


def _serve() -> None:
    sys.executable = getattr(sys, "_base_executable", sys.executable)
    from ministack.app import main
    from ministack.core import iam_actions, lambda_runtime
    from ministack.services import lambda_svc, stepfunctions

    iam_actions.extract_resource_arn = _with_alarms(iam_actions.extract_resource_arn)
    _keep_parameters(stepfunctions)
    _name_errors(lambda_svc)
    lambda_runtime.zipfile = _linking(Path(tempfile.mkdtemp(prefix="layers-")))
    main()


def _with_alarms(found: Callable[..., str]) -> Callable[..., str]:
    """MiniStack 1.5 authorises CloudWatch's calls against "*" where AWS takes the alarms they name (Service
    Authorization Reference, CloudWatch), so that no policy narrower than "*" would ever allow them."""

    def arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        known = found(service, method, path, headers, body, query, region, account)
        target = str(headers.get("x-amz-target", ""))
        if known != "*" or service != "monitoring" or ("Alarm" not in target and "Tag" not in target):
            return known
        asked = json.loads(body or b"{}")
        name = (asked.get("AlarmNames") or ["*"])[0]
        return str(asked.get("ResourceARN") or f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}")

    return arn


def _keep_parameters(stepfunctions: Any) -> None:
    """MiniStack 1.5 leaves out of a task's history what it was called with; AWS has it as `parameters`
    (TaskScheduledEventDetails, Step Functions API reference), and scripts/take_samples.py reads it."""
    evaluate, add, last = stepfunctions._apply_jsonata_arguments, stepfunctions._add_event, threading.local()

    def evaluated(*given: Any) -> Any:
        last.arguments = evaluate(*given)
        return last.arguments

    def added(execution: Any, kind: str, details: Any = None, *rest: Any) -> Any:
        if kind == "TaskScheduled" and details:
            details["taskScheduledEventDetails"]["parameters"] = json.dumps(getattr(last, "arguments", None))
        return add(execution, kind, details, *rest)

    stepfunctions._apply_jsonata_arguments, stepfunctions._add_event = evaluated, added


def _name_errors(lambda_svc: Any) -> None:
    """MiniStack 1.5 calls every error of a function Runtime.HandlerError; AWS gives its class (Lambda developer guide,
    "Python function errors"), which is what the state machine's Retry and Catch compare."""
    execute = lambda_svc._execute_function_warm

    def executed(*given: Any, **named: Any) -> Any:
        answer = execute(*given, **named)
        if answer.get("error") and answer["body"].get("errorType") == "Runtime.HandlerError":
            raised = _RAISED.findall(answer.get("log") or "")
            answer["body"]["errorType"] = raised[-1] if raised else "Runtime.HandlerError"
        return answer

    lambda_svc._execute_function_warm = executed


def _linking(kept: Path) -> Any:
    """`zipfile` for MiniStack's workers, each of which unpacks every layer anew, 2,000 files: unpacked once and linked.

    Nothing writes into a layer; its bytecode is already there.
    """

    class Linked(zipfile.ZipFile):
        def extractall(self, path: Any = None, members: Any = None, pwd: bytes | None = None) -> None:
            content = hashlib.sha256(repr([(each.filename, each.CRC) for each in self.infolist()]).encode()).hexdigest()
            with _UNPACKING:
                if not (kept / content).is_dir():
                    super().extractall(kept / content, members, pwd)
            shutil.copytree(kept / content, path, copy_function=os.link, dirs_exist_ok=True)

    return SimpleNamespace(**{**vars(zipfile), "ZipFile": Linked})


if __name__ == "__main__":
    _serve()
