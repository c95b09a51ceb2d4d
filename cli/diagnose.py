"""`inservice diagnose`: why a start failed, for a person with a log or a file of cases."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from inservice.adapters.hosting import SageMakerHosting
from inservice.adapters.logs import CloudWatchLogs
from inservice.adapters.metrics import CloudWatchMetrics
from inservice.contracts import Diagnosis
from inservice.diagnosis import diagnose
from inservice.diagnosis.cases import answer_line
from inservice.diagnosis.endpoint import diagnose_endpoint
from inservice.errors import InServiceError

from cli.account import Account, find_account
from cli.problems import ApiError, Unusable
from cli.reading import lines_of, text_of
from cli.telling import console, tell_diagnosis

_INSTEAD = "a log, a .jsonl of cases, or - for standard input"


def run(
    source: str,
    *,
    json_output: bool,
    log_text: str | None = None,
    failure_reason: str | None = None,
    out: TextIO = sys.stdout,
) -> int:
    """Diagnoses a .jsonl of cases, a log file, or `-` for stdin; 0 when done. Raises Unusable."""
    if log_text is None and failure_reason is None and source.endswith(".jsonl"):
        return _answer_cases(source, out)
    log = log_text if log_text is not None else text_of(source, _INSTEAD)
    return _tell(diagnose(failure_reason=failure_reason, log=log), json_output, out)


def of_endpoint(name: str, *, json_output: bool, account: Account | None = None, out: TextIO = sys.stdout) -> int:
    """Diagnoses an endpoint of the caller's account, whoever made it; 0 when done. Raises Unusable, ApiError."""
    account = account or find_account()
    try:
        found = diagnose_endpoint(
            name, hosting=SageMakerHosting(account.client("sagemaker")), logs=CloudWatchLogs(account.client("logs")),
            metrics=CloudWatchMetrics(account.client("cloudwatch")), clock=account.clock,
        )  # fmt: skip
    except InServiceError as problem:
        needed = "sagemaker:DescribeEndpoint and logs:FilterLogEvents are needed"
        raise ApiError(f"the endpoint {name} cannot be looked at: {problem}; {needed}") from None
    if found is None:
        raise Unusable(f"there is neither an endpoint {name} nor a log of it in {account.region}; is the region right?")
    return _tell(found, json_output, out)


def _tell(found: Diagnosis, json_output: bool, out: TextIO) -> int:
    if json_output:
        print(json.dumps(found.as_json(), ensure_ascii=False), file=out)
    else:
        tell_diagnosis(found.as_json(), console(file=out), indent="")
    return 0


def _answer_cases(source: str, out: TextIO) -> int:
    for line in lines_of(source, _INSTEAD):
        print(json.dumps(answer_line(line), ensure_ascii=True), file=out, flush=True)
    return 0
