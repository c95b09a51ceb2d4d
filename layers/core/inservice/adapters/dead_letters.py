"""The dead-letter queue: an event that cannot be followed, with the reason beside it."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from inservice.adapters.clients import client, fault

# A message attribute's value is at most the message's 256 KB; a reason that long is not read (SQS quotas).
_LONGEST_REASON = 1000


class SqsDeadLetters:
    """Dead letters on one SQS queue."""

    def __init__(self, queue_url: str, sqs: Any = None) -> None:
        self._queue_url = queue_url
        self._sqs = sqs or client("sqs")

    def put(self, event: dict[str, Any], reason: str) -> None:
        """Sends the event as it came, so that it can be corrected and sent again, with attribute `reason`."""
        attribute = {"DataType": "String", "StringValue": reason[:_LONGEST_REASON]}
        try:
            self._sqs.send_message(
                QueueUrl=self._queue_url, MessageBody=json.dumps(event), MessageAttributes={"reason": attribute}
            )
        except (ClientError, BotoCoreError) as problem:
            raise fault(problem) from None
