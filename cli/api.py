"""The service's API as the command sees it: where it is, calls signed as the caller, errors in words."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError

from cli.account import Account, account_of, announced, aws_account
from cli.problems import ApiError

STACK_NAME = "inservice"
# API Gateway answers within 29 s or not at all.
_TIMEOUT_SECONDS = 35


@dataclass(frozen=True, kw_only=True)
class Service(Account):
    """Where the service is and who calls it."""

    api_url: str

    def call(self, method: str, path: str, body: Any = None, **query: str | None) -> dict[str, Any]:
        """One signed call; the answer's JSON. Raises ApiError with the problem and its fix."""
        asked = {name: value for name, value in query.items() if value is not None}
        url = f"{self.api_url.rstrip('/')}{quote(path)}" + (f"?{urlencode(asked)}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        request = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json"} if data else {})
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        return _answer(urllib.request.Request(url, data=data, headers=dict(request.headers.items()), method=method))


def find_service(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Service:
    """`INSERVICE_API_URL`, else the stack that runs in this folder, else the stack `inservice` on AWS."""
    stack = announced(environment, folder)
    if stack:
        return service_of(stack)
    account = aws_account(environment)
    try:
        return Service(api_url=environment.get("INSERVICE_API_URL") or _output(account), **vars(account))
    except (BotoCoreError, ClientError) as problem:
        raise ApiError(
            f"the stack {STACK_NAME} was not found in {account.region}: {problem}; set INSERVICE_API_URL, AWS_PROFILE "
            "and AWS_REGION, or start `make up` in this folder"
        ) from None


def service_of(stack: dict[str, Any]) -> Service:
    """The service of an embedded stack, from what its stack.json holds."""
    return Service(api_url=stack["api_url"], **vars(account_of(stack)))


def _output(account: Account) -> str:
    cloudformation = account.client("cloudformation")
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    for output in stack.get("Outputs", ()):
        if output["OutputKey"] == "ApiUrl":
            return str(output["OutputValue"])
    raise ApiError(
        f"the stack {STACK_NAME} in {account.region} has no output ApiUrl; is it another stack of that name?"
    )


def _answer(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with _opener(request.full_url).open(request, timeout=_TIMEOUT_SECONDS) as response:
            answer: dict[str, Any] = json.load(response)
            return answer
    except urllib.error.HTTPError as refused:
        raise _error(refused.code, refused.read().decode(errors="replace")) from None
    except ValueError:
        raise ApiError(f"{request.full_url} did not answer with JSON; is it the API's address?") from None
    except OSError as problem:
        reason = getattr(problem, "reason", problem)
        raise ApiError(
            f"the API does not answer at {request.full_url} ({reason}); is the stack running, and the address right?"
        ) from None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """A proxy leads out of this machine, so a loopback address is asked directly."""
    loopback = url.startswith(("http://127.0.0.1", "http://localhost"))
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if loopback else []))


def _error(status: int, text: str) -> ApiError:
    try:
        said = json.loads(text)
    except ValueError:
        said = {}
    findings = tuple(said.get("findings") or ())
    if findings:
        return ApiError("the request is refused", status=status, findings=findings)
    detail = said.get("detail") or said.get("message") or text.strip()[:300] or "no reason given"
    if status == 403:
        detail += "; the caller needs execute-api:Invoke on this API"
    return ApiError(f"{detail} (HTTP {status})", status=status)
