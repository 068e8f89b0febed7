"""A step of a state machine, or a person at a command line, that names one object: `{"bucket": ..., "key": ...}`."""

from typing import Any

from functions.envelopes.delivery import Delivery
from functions.errors import EventError
from functions.messages import ObjectCreated


class Task:
    def matches(self, event: Any) -> bool:
        return isinstance(event, dict) and set(event) == {"bucket", "key"}

    def deliveries(self, event: dict[str, Any]) -> list[Delivery]:
        bucket, key = event["bucket"], event["key"]
        if not (isinstance(bucket, str) and isinstance(key, str)):
            raise EventError("bucket and key are to be texts")
        return [Delivery([ObjectCreated(bucket, key)])]
