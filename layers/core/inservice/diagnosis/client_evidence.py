"""What AWS told a program that deployed: a call it refused, or a FailureReason, in that program's own log."""

from __future__ import annotations

import re

from inservice.diagnosis.evidence import quoted
from inservice.diagnosis.reading.log import Log

_CALLS = "(?:Create|Update)(?:Endpoint|EndpointConfig|Model|InferenceComponent)"
# By a literal of the line, its whole form: botocore, Terraform's AWS SDK for Go and its waiter, CloudFormation's
# events (as the CDK prints them, too), and the SageMaker Python SDK.
_TOLD = {
    "when calling the": rf"An error occurred \(\w+\) when calling the {_CALLS} operation",
    "operation error sagemaker": rf"operation error SageMaker: {_CALLS}\b",
    "to be in service": r"SageMaker(?: AI)? Endpoint \(\S+\) to be in service: \S",
    "aws::sagemaker::": r"(?:CREATE|UPDATE)_FAILED\b.*AWS::SageMaker::(?!.*cancelled)",
    "error hosting endpoint": r"Error hosting endpoint \S+: Failed\. Reason: \S",
    # Karpenter, where the server runs on a cluster: EC2's words.
    "fleet error(s)": r"with fleet error\(s\), \S",
}
_LINES = {literal: re.compile(form) for literal, form in _TOLD.items()}


def told_a_client(log: Log) -> str:
    """The last line in which AWS's own words to a client stand, as evidence; empty without one."""
    numbers = [
        number
        for literal, form in _LINES.items()
        for number in log.find(literal)
        if form.search(log.lines[number][:2000])
    ]
    return quoted(log.raw[max(numbers)]) if numbers else ""
