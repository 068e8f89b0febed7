"""Which envelope a storage event came in. A new one is one new file, one line here, one sample event."""

from typing import Any

from functions.envelopes.delivery import Delivery, StorageEnvelope
from functions.envelopes.eventbridge import EventBridge
from functions.envelopes.s3_notification import S3Notification
from functions.envelopes.sns import SnsTopic
from functions.envelopes.sqs import SqsQueue
from functions.envelopes.task import Task
from functions.errors import EventError

CARRIED = (S3Notification(), EventBridge())  # what a topic or a queue brings along
TOPIC = SnsTopic(CARRIED)
ENVELOPES: tuple[StorageEnvelope, ...] = (*CARRIED, TOPIC, SqsQueue((*CARRIED, TOPIC)), Task())


def of(event: Any) -> StorageEnvelope:
    """Raises EventError for an event of no known shape."""
    for envelope in ENVELOPES:
        if envelope.matches(event):
            return envelope
    raise EventError(
        "this is no storage event; send what S3 or MinIO sends for s3:ObjectCreated:*, by itself or through SQS, SNS "
        'or EventBridge, or {"bucket": ..., "key": ...}'
    )


__all__ = ["Delivery", "StorageEnvelope", "of"]
