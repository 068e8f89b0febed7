"""An SNS topic between the bucket and the function: as Lambda gets its notifications, and as a queue brings them.

Source: SNS Developer Guide, "Parsing JSON formats"; Lambda Developer Guide, "Invoking Lambda functions with SNS".
"""

from collections.abc import Iterable
from typing import Any

from functions.envelopes.delivery import Delivery, StorageEnvelope, opened


class SnsTopic:
    def __init__(self, carried: Iterable[StorageEnvelope]) -> None:
        self._carried = tuple(carried)

    def matches(self, event: Any) -> bool:
        """Records that name `Sns`, or one notification as SNS writes it into a queue."""
        if not isinstance(event, dict):
            return False
        records = event.get("Records")
        if isinstance(records, list) and records:
            return all(isinstance(record, dict) and isinstance(record.get("Sns"), dict) for record in records)
        return event.get("Type") == "Notification" and "Message" in event

    def deliveries(self, event: dict[str, Any]) -> list[Delivery]:
        notifications = [record["Sns"] for record in event["Records"]] if "Records" in event else [event]
        return [one for told in notifications for one in opened(told.get("Message"), self._carried)]
