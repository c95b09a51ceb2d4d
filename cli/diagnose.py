"""`inservice diagnose`: why a start failed, for a person with a log or a file of cases."""

from __future__ import annotations

import json
import sys
from typing import TextIO

from inservice.adapters.hosting import SageMakerHosting
from inservice.adapters.logs import CloudWatchLogs
from inservice.contracts import Diagnosis
from inservice.diagnosis import diagnose
from inservice.diagnosis.cases import answer_line
from inservice.errors import InServiceError

from cli.api import Service, find_service
from cli.problems import ApiError, Unusable
from cli.reading import lines_of, text_of
from cli.telling import console, tell_diagnosis

# What is read of an endpoint's log at most.
_MOST_BYTES = 4_000_000
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


def of_endpoint(name: str, *, json_output: bool, service: Service | None = None, out: TextIO = sys.stdout) -> int:
    """Diagnoses an endpoint from SageMaker's FailureReason and its log in CloudWatch. Raises Unusable, ApiError."""
    service = service or find_service()
    try:
        seen = SageMakerHosting(service.client("sagemaker")).describe_endpoint(name)
        # A log group outlives its endpoint, and the next endpoint of that name writes into it.
        since = int(seen.created_at.timestamp() * 1000) if seen.created_at else 0
        logs = CloudWatchLogs(service.client("logs"))
        lines = logs.read(f"/aws/sagemaker/Endpoints/{name}", since, max_bytes=_MOST_BYTES)
    except InServiceError as problem:
        needed = "sagemaker:DescribeEndpoint and logs:FilterLogEvents are needed"
        raise ApiError(f"the endpoint {name} cannot be looked at: {problem}; {needed}") from None
    if seen.status == "Deleted" and lines is None:
        raise Unusable(f"there is neither an endpoint {name} nor a log of it; see: inservice list")
    log = "\n".join(line.message for line in lines) if lines else None
    return _tell(diagnose(failure_reason=seen.failure_reason, log=log), json_output, out)


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
