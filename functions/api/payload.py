"""The HTTP API's events in the words of the REST API's, so that one resolver answers at every door.

Formats: "Working with AWS Lambda proxy integrations for HTTP APIs", API Gateway developer guide.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl


def as_rest(event: dict[str, Any]) -> dict[str, Any]:
    """An event of format 2.0 as one of format 1.0; any other event as it is."""
    if event.get("version") != "2.0":
        return event
    asked = event["requestContext"]
    query = parse_qsl(event.get("rawQueryString") or "", keep_blank_values=True)
    headers = event.get("headers") or {}
    return {
        "resource": "/{proxy+}",
        "path": event["rawPath"],
        "httpMethod": asked["http"]["method"],
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": {name: [v for n, v in query if n == name] for name, _ in query} or None,
        "pathParameters": event.get("pathParameters"),
        "stageVariables": None,
        "body": event.get("body"),
        "isBase64Encoded": event.get("isBase64Encoded", False),
        "requestContext": {"path": event["rawPath"], "stage": asked["stage"], "apiId": asked["apiId"]},
    }


def as_asked(answer: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
    """The answer in the format of the event it is for; 2.0 knows no multiValueHeaders."""
    if event.get("version") != "2.0":
        return answer
    headers = {name: ",".join(values) for name, values in answer.pop("multiValueHeaders").items()}
    return {**answer, "headers": headers}
