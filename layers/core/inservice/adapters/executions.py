"""Step Functions and SNS: starting and stopping executions, and announcing outcomes."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, code_of, fault


class StepFunctionsExecutions:
    """Executions of one state machine; an execution's name is its identity."""

    def __init__(self, state_machine_arn: str, states: Any = None) -> None:
        self._arn = state_machine_arn
        self._states = states or client("stepfunctions")

    def start(self, name: str, payload: dict[str, Any]) -> str:
        """Starts the execution of that name and returns its ARN; one that was already started is left alone."""
        try:
            started = self._states.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(payload))
            return str(started["executionArn"])
        except ClientError as problem:
            if code_of(problem) == "ExecutionAlreadyExists":
                return self._execution(name)
            raise fault(problem) from None
        except BotoCoreError as problem:
            raise fault(problem) from None

    def stop(self, name: str, reason: str) -> None:
        """Stops the execution; one that is not running is stopped."""
        try:
            self._states.stop_execution(executionArn=self._execution(name), error="Stopped", cause=reason)
        except ClientError as problem:
            if code_of(problem) not in ("ExecutionDoesNotExist", "ValidationException"):
                raise fault(problem) from None

    def is_running(self, name: str) -> bool:
        """Whether the execution of that name is running."""
        try:
            return bool(self._states.describe_execution(executionArn=self._execution(name))["status"] == "RUNNING")
        except ClientError as problem:
            if code_of(problem) == "ExecutionDoesNotExist":
                return False
            raise fault(problem) from None

    def _execution(self, name: str) -> str:
        return self._arn.replace(":stateMachine:", ":execution:") + f":{name}"


class TopicAnnouncements:
    """Announcements on one SNS topic."""

    def __init__(self, topic_arn: str, sns: Any = None) -> None:
        self._topic_arn = topic_arn
        self._sns = sns or client("sns")

    def publish(self, subject: str, message: str, attributes: dict[str, str]) -> None:
        """Sends a message with one body per protocol, and attributes to filter on."""
        typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items()}
        try:
            self._sns.publish(
                TopicArn=self._topic_arn, Subject=subject, Message=message, MessageStructure="json",
                MessageAttributes=typed,
            )  # fmt: skip
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None
