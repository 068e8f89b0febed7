"""What S3 would say of an object in a folder; pure, it must not know the watcher or the queue.

Source: S3 User Guide, "Event message structure". Keys are encoded as Java's URLEncoder does it, slashes left alone.
"""

import json
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from functions.registry.store import Stat


def created(bucket: str, key: str, stat: Stat) -> bytes:
    """The event `ObjectCreated:Put` of one object, as JSON."""
    moment = datetime.fromisoformat(stat.last_modified)
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "eventName": "ObjectCreated:Put",
        "userIdentity": {"principalId": "local"},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": uuid.uuid4().hex[:16].upper(), "x-amz-id-2": "local"},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "incoming",
            "bucket": {
                "name": bucket,
                "ownerIdentity": {"principalId": "local"},
                "arn": f"arn:aws:s3:::{bucket}",
            },
            "object": {
                "key": encoded(key),
                "size": stat.size,
                "eTag": stat.etag,
                "sequencer": f"{int(moment.timestamp() * 1e6):018X}",
            },
        },
    }
    return json.dumps({"Records": [record]}, separators=(",", ":")).encode()


def encoded(key: str) -> str:
    return quote_plus(key, safe="/*").replace("~", "%7E")


def keys(payload: bytes) -> list[str]:
    """The keys an event tells of, for people to read; empty where it is no storage event."""
    return [unquote_plus(found["key"]) for found in _objects(payload)]


def etags(payload: bytes) -> list[str]:
    """The ETags an event tells of."""
    return [found["eTag"] for found in _objects(payload)]


def _objects(payload: bytes) -> list[dict[str, str]]:
    try:
        records: list[dict[str, Any]] = json.loads(payload)["Records"]
        return [{name: str(record["s3"]["object"].get(name)) for name in ("key", "eTag")} for record in records]
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
