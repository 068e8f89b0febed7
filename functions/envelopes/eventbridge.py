"""EventBridge's "Object Created", as S3 sends it where the bucket has EventBridge on. Keys are literal.

Source: S3 User Guide, "EventBridge event message structure".
"""

from typing import Any

from functions.envelopes.delivery import Delivery
from functions.errors import EventError
from functions.messages import ObjectCreated, Passed


class EventBridge:
    def matches(self, event: Any) -> bool:
        return isinstance(event, dict) and "detail-type" in event and event.get("source") == "aws.s3"

    def deliveries(self, event: dict[str, Any]) -> list[Delivery]:
        try:
            bucket, key = event["detail"]["bucket"]["name"], event["detail"]["object"]["key"]
        except (KeyError, TypeError):
            bucket = key = None
        if not (isinstance(bucket, str) and isinstance(key, str)):
            raise EventError("the event's detail has no bucket.name or no object.key")
        kind = event["detail-type"]
        if kind != "Object Created":
            return [Delivery([Passed(key, f"nothing was created: the event is {kind!r}")])]
        return [Delivery([ObjectCreated(bucket, key)])]
