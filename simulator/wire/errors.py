"""Refusals in AWS's form."""

from __future__ import annotations


class AwsError(Exception):
    """An error answer: `code` is the exception's name on the wire, `status` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def validation(message: str) -> AwsError:
    """ValidationException: how SageMaker says not found, already there and in progress alike."""
    return AwsError("ValidationException", message)


def limit_exceeded(message: str) -> AwsError:
    """ResourceLimitExceeded: a quota would be exceeded."""
    return AwsError("ResourceLimitExceeded", message)
