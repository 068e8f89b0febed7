"""S3 event notifications, as Lambda gets them from S3 and as MinIO's webhook sends them.

Source: S3 User Guide, "Event message structure"; MinIO, "Bucket notifications". Keys arrive URL-encoded: S3 leaves `/`
as it is, MinIO writes `%2F`, both write `+` for a space; all of it is undone alike.
"""

from typing import Any
from urllib.parse import unquote_plus

from functions.envelopes.delivery import Delivery
from functions.errors import EventError
from functions.messages import ObjectCreated, Passed

TEST = "s3:TestEvent"


class S3Notification:
    def matches(self, event: Any) -> bool:
        """S3 and MinIO name `s3` in every record; the test event has no records."""
        if not isinstance(event, dict):
            return False
        records = event.get("Records")
        if isinstance(records, list):
            return all(isinstance(record, dict) and "s3" in record for record in records)
        return event.get("Event") == TEST

    def deliveries(self, event: dict[str, Any]) -> list[Delivery]:
        """One delivery of an object for each record, in order. Raises EventError for a record of another shape."""
        if "Records" not in event:
            return [Delivery([Passed(None, "it is S3's test event")])]
        return [Delivery([_created(record, index) for index, record in enumerate(event["Records"])])]


def _created(record: dict[str, Any], index: int) -> ObjectCreated | Passed:
    entity = record["s3"]
    try:
        name = record["eventName"]
        bucket = entity["bucket"]["name"]
        written = entity["object"]
        encoded = written["key"]
    except (KeyError, TypeError):
        raise EventError(f"Records[{index}] has no eventName, s3.bucket.name or s3.object.key") from None
    if not (isinstance(name, str) and isinstance(bucket, str) and isinstance(encoded, str)):
        raise EventError(f"Records[{index}]: eventName, s3.bucket.name and s3.object.key are to be texts")
    key = _decoded(encoded)
    if key is None:
        return Passed(ascii(encoded)[1:-1], "its key is not UTF-8, so no object has it")
    if not name.removeprefix("s3:").startswith("ObjectCreated:"):
        return Passed(key, f"nothing was created: the event is {name!r}")
    return ObjectCreated(bucket, key)


def _decoded(key: str) -> str | None:
    try:
        found = unquote_plus(key, errors="strict")
        found.encode()
    except UnicodeError:
        return None
    return found
