"""An SQS queue before the function, its messages S3's notifications, SNS's or EventBridge's.

The queue's event source is to have `ReportBatchItemFailures`: a message that fails comes back alone, and the others
do not. Source: Lambda Developer Guide, "Handling errors for an SQS event source".
"""

from collections.abc import Iterable
from typing import Any

from functions.envelopes.delivery import Delivery, StorageEnvelope, opened
from functions.errors import EventError


class SqsQueue:
    def __init__(self, carried: Iterable[StorageEnvelope]) -> None:
        self._carried = tuple(carried)

    def matches(self, event: Any) -> bool:
        records = event.get("Records") if isinstance(event, dict) else None
        return (
            isinstance(records, list)
            and bool(records)
            and all(isinstance(record, dict) and record.get("eventSource") == "aws:sqs" for record in records)
        )

    def deliveries(self, event: dict[str, Any]) -> list[Delivery]:
        """Raises EventError where a message has no id, since nobody could be told of its failure."""
        found = []
        for index, record in enumerate(event["Records"]):
            name = record.get("messageId")
            if not isinstance(name, str) or not name:
                raise EventError(f"Records[{index}] has no messageId")
            found += opened(record.get("body"), self._carried, name)
        return found
