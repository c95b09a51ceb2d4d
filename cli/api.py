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

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError

from cli.problems import ApiError

STACK_NAME = "inservice"
# API Gateway answers within 29 s or not at all.
_TIMEOUT_SECONDS = 35


@dataclass(frozen=True)
class Service:
    """Where the service is and who calls it; both `…endpoint_url` and `time_scale` are the embedded stack's."""

    api_url: str
    region: str
    credentials: Credentials
    endpoint_url: str | None = None
    time_scale: float = 1.0
    sagemaker_endpoint_url: str | None = None

    def call(self, method: str, path: str, body: Any = None, **query: str | None) -> dict[str, Any]:
        """One signed call; the answer's JSON. Raises ApiError with the problem and its fix."""
        asked = {name: value for name, value in query.items() if value is not None}
        url = f"{self.api_url.rstrip('/')}{quote(path)}" + (f"?{urlencode(asked)}" if asked else "")
        data = None if body is None else json.dumps(body).encode()
        request = AWSRequest(method, url, data=data, headers={"Content-Type": "application/json"} if data else {})
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        return _answer(urllib.request.Request(url, data=data, headers=dict(request.headers.items()), method=method))

    def client(self, service: str) -> Any:
        """A client of another AWS service, for the same caller."""
        found = self.credentials.get_frozen_credentials()
        url = self.sagemaker_endpoint_url if service.startswith("sagemaker") else self.endpoint_url
        return botocore.session.get_session().create_client(
            service, region_name=self.region, endpoint_url=url, aws_access_key_id=found.access_key,
            aws_secret_access_key=found.secret_key, aws_session_token=found.token,
        )  # fmt: skip


def find_service(environment: Mapping[str, str] = os.environ, folder: Path | None = None) -> Service:
    """`INSERVICE_API_URL`, else the stack that runs in this folder, else the stack `inservice` on AWS."""
    announced = (folder or Path.cwd()) / ".embedded" / "stack.json"
    given = environment.get("INSERVICE_API_URL")
    if announced.is_file() and not given:
        return _embedded(announced)
    session, region = botocore.session.get_session(), "this region"
    try:
        region = _region(environment, session)
        credentials = session.get_credentials()
        if credentials is None:
            raise ApiError("no AWS credentials were found; set AWS_PROFILE or sign in, or start `make up` here")
        return Service(given or _output(session, region), region, credentials)
    except (BotoCoreError, ClientError) as problem:
        raise ApiError(
            f"the stack {STACK_NAME} was not found in {region}: {problem}; set INSERVICE_API_URL, AWS_PROFILE and "
            "AWS_REGION, or start `make up` in this folder"
        ) from None


def _embedded(announced: Path) -> Service:
    try:
        found = json.loads(announced.read_text())
        credentials = Credentials(found["access_key_id"], found["secret_access_key"])
        scale = float(found["time_scale"])
        return Service(
            found["api_url"], found["region"], credentials, found["aws_endpoint_url"], scale,
            found["sagemaker_endpoint_url"],
        )  # fmt: skip
    except (ValueError, KeyError) as problem:
        raise ApiError(f"{announced} is not what `make up` writes ({problem}); remove it") from None


def _region(environment: Mapping[str, str], session: Any) -> str:
    return (
        environment.get("AWS_REGION") or environment.get("AWS_DEFAULT_REGION") or session.get_config_variable("region")
        or "us-east-1"
    )  # fmt: skip


def _output(session: Any, region: str) -> str:
    cloudformation = session.create_client("cloudformation", region_name=region)
    (stack,) = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    for output in stack.get("Outputs", ()):
        if output["OutputKey"] == "ApiUrl":
            return str(output["OutputValue"])
    raise ApiError(f"the stack {STACK_NAME} in {region} has no output ApiUrl; is it another stack of that name?")


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
