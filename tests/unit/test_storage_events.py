"""The ways a storage event takes to the function: each on its own sample event, and on broken ones."""

import json
from pathlib import Path
from typing import Any

import pytest

from functions.envelopes import storage
from functions.envelopes.delivery import Delivery
from functions.envelopes.eventbridge import EventBridge
from functions.envelopes.s3_notification import S3Notification
from functions.envelopes.sns import SnsTopic
from functions.envelopes.sqs import SqsQueue
from functions.envelopes.task import Task
from functions.errors import EventError
from functions.messages import ObjectCreated, Passed

EVENTS = Path(__file__).parents[2] / "events"
DROP = ObjectCreated("drops", "incoming/iris sample.csv")
FIRST = "059f36b4-87a3-44ab-83d2-661975130000"


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def deliveries(event: Any) -> list[Delivery]:
    return storage.of(event).deliveries(event)


def queue(*bodies: Any) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": body} for number, body in enumerate(bodies)
        ]
    }


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("s3-put", S3Notification, None),
        ("s3-put-minio", S3Notification, None),
        ("s3-by-sqs", SqsQueue, FIRST),
        ("s3-by-sns", SnsTopic, None),
        ("s3-by-sns-by-sqs", SqsQueue, FIRST),
        ("s3-by-eventbridge", EventBridge, None),
        ("task", Task, None),
    ],
)
def test_the_same_drop_is_seen_whichever_way_its_event_took(name: str, kind: type, message: str | None) -> None:
    assert type(storage.of(sample(name))) is kind
    assert deliveries(sample(name)) == [Delivery([DROP], message)]


def test_eventbridge_may_come_through_a_queue_or_a_topic_too() -> None:
    text = json.dumps(sample("s3-by-eventbridge"))
    assert deliveries(queue(text)) == [Delivery([DROP], "m0")]
    assert deliveries({"Records": [{"Sns": {"Message": text}}]}) == [Delivery([DROP])]


def test_eventbridges_keys_are_literal() -> None:
    event = sample("s3-by-eventbridge")
    event["detail"]["object"]["key"] = "incoming/a+b%2Fc.csv"
    assert deliveries(event) == [Delivery([ObjectCreated("drops", "incoming/a+b%2Fc.csv")])]


def test_what_eventbridge_says_of_other_things_is_acknowledged() -> None:
    event = sample("s3-by-eventbridge") | {"detail-type": "Object Deleted"}
    told = "nothing was created: the event is 'Object Deleted'"
    assert deliveries(event) == [Delivery([Passed("incoming/iris sample.csv", told)])]


@pytest.mark.parametrize("detail", [None, {}, {"bucket": {}}, {"bucket": {"name": "b"}, "object": {"key": 7}}])
def test_an_eventbridge_event_without_an_object_is_told_so(detail: Any) -> None:
    with pytest.raises(EventError) as raised:
        deliveries(sample("s3-by-eventbridge") | {"detail": detail})
    assert raised.value.message == "the event's detail has no bucket.name or no object.key"


def test_a_message_that_cannot_be_read_fails_alone() -> None:
    good = sample("s3-by-sqs")["Records"][0]["body"]
    broken = json.dumps({"Records": [{"s3": {}}]})
    found = deliveries(queue("no JSON", good, "[" * 100_000, '{"a": 1}', None, broken, "[]"))
    assert [(one.id, one.objects, one.error and one.error.message) for one in found] == [
        ("m0", [], "the message is not JSON"),
        ("m1", [DROP], None),
        ("m2", [], "the message is not JSON"),
        ("m3", [], "the message is no storage event"),
        ("m4", [], "the message is not JSON"),
        ("m5", [], "Records[0] has no eventName, s3.bucket.name or s3.object.key"),
        ("m6", [], "the message is no storage event"),
    ]


def test_s3s_test_event_is_acknowledged_in_a_queue_too() -> None:
    text = (EVENTS / "s3-test.json").read_text()
    assert deliveries(queue(text)) == [Delivery([Passed(None, "it is S3's test event")], "m0")]


def test_a_message_without_an_id_cannot_be_answered() -> None:
    event = queue("{}")
    del event["Records"][0]["messageId"]
    with pytest.raises(EventError) as raised:
        deliveries(event)
    assert raised.value.message == "Records[0] has no messageId"


def test_a_task_names_its_object_by_texts() -> None:
    with pytest.raises(EventError) as raised:
        deliveries({"bucket": "drops", "key": None})
    assert raised.value.message == "bucket and key are to be texts"
