"""SageMaker's runtime: one JSON request to a live endpoint."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, fault, message_of
from inservice.errors import Refused


class SageMakerInvocations:
    """Invocations through InvokeEndpoint."""

    def __init__(self, runtime: Any = None) -> None:
        self._runtime = runtime or client("sagemaker-runtime")

    def invoke(self, endpoint_name: str, body: dict[str, Any]) -> Any:
        """The model's JSON answer; Refused with the container's words when it answers with an error."""
        try:
            answer = self._runtime.invoke_endpoint(
                EndpointName=endpoint_name, ContentType="application/json", Accept="application/json",
                Body=json.dumps(body).encode(),
            )  # fmt: skip
            return json.loads(answer["Body"].read())
        except json.JSONDecodeError:
            raise Refused("the endpoint's answer is not JSON") from None
        except ClientError as problem:
            original = problem.response.get("OriginalMessage")
            if original or problem.response.get("Error", {}).get("Code") == "ModelError":
                raise Refused(str(original or message_of(problem))) from None
            raise fault(problem) from None
        except BotoCoreError as problem:
            raise fault(problem) from None
