"""A caller of the deployed stack: it signs, it waits for outcomes, and it sees what Slack and SageMaker have."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from inservice.contracts import RUNNING

from embedded.stack import Stack

_PATIENCE_SECONDS = 150
# A function that is called while it runs gets a second worker, which takes a second and 100 MB.
_AT_ONCE = 6


@dataclass(frozen=True)
class Caller:
    """Calls the API as a user of the stack does."""

    stack: Stack

    def call(self, method: str, path: str, body: Any = None, *, signed: bool = True) -> tuple[int, Any]:
        """(status, JSON) of one request."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = AWSRequest(method, self.stack.api_url + path, data=data, headers={"Content-Type": "application/json"})
        if signed:
            keys = Credentials(self.stack.access_key_id, self.stack.secret_access_key)
            SigV4Auth(keys, "execute-api", self.stack.region).add_auth(request)
        sent = urllib.request.Request(request.url, data=data, method=method, headers=dict(request.headers))
        try:
            with urllib.request.urlopen(sent, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as problem:
            return problem.code, json.loads(problem.read() or b"null")

    def deploy(self, document: dict[str, Any]) -> str:
        """Starts a deployment and returns its id."""
        status, answer = self.call("POST", "/deployments", document)
        assert status == 202, answer
        return str(answer["deployment_id"])

    def outcome(self, deployment_id: str) -> dict[str, Any]:
        """The outcome once there is one."""
        return self.until(deployment_id, lambda seen: seen["status"] not in RUNNING)

    def outcomes(self, requests: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """The outcome of each request by its key; some at a time, for every one takes workers of its own."""
        with ThreadPoolExecutor(_AT_ONCE) as lanes:
            found = lanes.map(lambda document: self.outcome(self.deploy(document)), requests.values())
            return dict(zip(requests, found, strict=True))

    def until(self, deployment_id: str, reached: Any) -> dict[str, Any]:
        """The deployment once it has reached a point; fails after more time than any start takes."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < ends:
            status, seen = self.call("GET", f"/deployments/{deployment_id}")
            assert status == 200, seen
            if reached(seen):
                return dict(seen)
            time.sleep(0.5)
        raise AssertionError(f"{deployment_id} did not get there: {seen['status']} {seen['phase']}")

    def execution(self, name: str) -> dict[str, Any]:
        """The execution of that name once it has ended."""
        states = self.stack.client("stepfunctions")
        arn = self.stack.execution_arn(name)
        ends = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < ends:
            found = states.describe_execution(executionArn=arn)
            if found["status"] != "RUNNING":
                return dict(found)
            time.sleep(0.2)
        raise AssertionError(f"the execution {name} goes on")

    def executions(self) -> int:
        """How many executions there have been."""
        states = self.stack.client("stepfunctions")
        return len(states.list_executions(stateMachineArn=self.stack.state_machine_arn, maxResults=1000)["executions"])

    def messages(self, endpoint_name: str, count: int = 1) -> list[str]:
        """The first lines of what Slack was sent about an endpoint, once there are so many."""
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            with urllib.request.urlopen(self.stack.slack_url, timeout=10) as answer:
                texts = [message["body"]["text"] for message in json.load(answer)]
            about = [text for text in texts if endpoint_name in text]
            if len(about) >= count:
                return about
            time.sleep(0.2)
        raise AssertionError(f"Slack heard {about} of {endpoint_name}")

    def resources(self) -> dict[str, Any]:
        """Endpoints with their status, configs and models, as the simulator has them."""
        with urllib.request.urlopen(f"{self.stack.sagemaker_endpoint_url}/_simulator/resources", timeout=10) as answer:
            return dict(json.load(answer))

    def left(self, endpoint_name: str) -> list[str]:
        """What SageMaker still has under an endpoint's name."""
        found = self.resources()
        names = [*found["endpoints"], *found["configs"], *found["models"]]
        return [name for name in names if name.lower().startswith(endpoint_name.lower())]

    def settled(self) -> dict[str, dict[str, Any]]:
        """Every deployment by its id, once none of them is running."""
        ends = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < ends:
            found = self._all()
            if not any(one["status"] in RUNNING for one in found.values()):
                return found
            time.sleep(0.3)
        raise AssertionError("a deployment goes on")

    def _all(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        path = "/deployments?limit=100"
        while path:
            page = self.call("GET", path)[1]
            found |= {one["deployment_id"]: one for one in page["deployments"]}
            path = f"/deployments?limit=100&next={page['next']}" if page.get("next") else ""
        return found

    def faults(self, **kinds: Any) -> None:
        """Replaces these kinds of fault in the simulator."""
        self.control("PUT", "faults", kinds)

    def sweep(self, mode: str) -> dict[str, Any]:
        """One round of the sweep's function."""
        return dict(self.invoke("SweepFunction", {"mode": mode}))

    def invoke(self, function: str, payload: Any) -> Any:
        """What a function of the template answers, called by hand."""
        functions = self.stack.client("lambda")
        names = [found["FunctionName"] for found in functions.list_functions()["Functions"]]
        [name] = [name for name in names if function in name]
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(payload))
        text = answer["Payload"].read()
        assert "FunctionError" not in answer, text
        return json.loads(text)

    def table(self) -> str:
        """The name of the table that holds deployments, locks and live endpoints."""
        [name] = [name for name in self.stack.client("dynamodb").list_tables()["TableNames"] if "-Table-" in name]
        return name

    def control(self, method: str, what: str, body: Any) -> None:
        """One request to the simulator's control door."""
        url = f"{self.stack.sagemaker_endpoint_url}/_simulator/{what}"
        data = json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, method=method, headers={"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).close()
