import json
from pathlib import Path
from typing import Any

import pytest

from functions.envelopes import storage
from functions.envelopes.s3_notification import S3Notification
from functions.errors import EventError
from functions.messages import ObjectCreated, Passed

EVENTS = Path(__file__).parents[2] / "events"


def sample(name: str) -> Any:
    return json.loads((EVENTS / name).read_text())


def record(key: str, name: str = "ObjectCreated:Put") -> dict[str, Any]:
    return {"eventName": name, "s3": {"bucket": {"name": "drops"}, "object": {"key": key}}}


def created(*records: Any) -> list[ObjectCreated | Passed]:
    return objects({"Records": list(records)})


def objects(event: Any) -> list[ObjectCreated | Passed]:
    (delivery,) = S3Notification().deliveries(event)
    return delivery.objects


def test_what_s3_sends_is_an_object_created() -> None:
    assert objects(sample("s3-put.json")) == [ObjectCreated("drops", "incoming/iris sample.csv")]


def test_what_minio_sends_is_the_same() -> None:
    assert objects(sample("s3-put-minio.json")) == [ObjectCreated("drops", "incoming/iris sample.csv")]


def test_the_test_event_is_acknowledged() -> None:
    assert objects(sample("s3-test.json")) == [Passed(None, "it is S3's test event")]


@pytest.mark.parametrize(
    ("encoded", "key"),
    [
        ("incoming/a+b.csv", "incoming/a b.csv"),
        ("incoming%2Fa+b.csv", "incoming/a b.csv"),
        ("incoming/a%2Bb.csv", "incoming/a+b.csv"),
        ("incoming%2Fa%252Fb.csv", "incoming/a%2Fb.csv"),
        ("incoming/%C3%BC/%E6%97%A5.csv", "incoming/ü/日.csv"),
        ("incoming/a%26b%3Dc.csv", "incoming/a&b=c.csv"),
        ("incoming/ü.csv", "incoming/ü.csv"),
        ("incoming/100%25.csv", "incoming/100%.csv"),
    ],
)
def test_keys_are_decoded_alike_whoever_encoded_them(encoded: str, key: str) -> None:
    assert created(record(encoded)) == [ObjectCreated("drops", key)]


@pytest.mark.parametrize("name", ["ObjectRemoved:Delete", "s3:ObjectAccessed:Get", "ObjectTagging:Put"])
def test_events_of_other_things_are_acknowledged(name: str) -> None:
    assert created(record("incoming/x.csv", name)) == [
        Passed("incoming/x.csv", f"nothing was created: the event is {name!r}")
    ]


@pytest.mark.parametrize(
    ("encoded", "shown"),
    [("incoming/\ud800.csv", "incoming/\\ud800.csv"), ("incoming/%ED%A0%80.csv", "incoming/%ED%A0%80.csv"),
     ("incoming/%FF.csv", "incoming/%FF.csv")],
)  # fmt: skip
def test_a_key_that_is_no_text_is_acknowledged_since_no_object_has_it(encoded: str, shown: str) -> None:
    assert created(record(encoded)) == [Passed(shown, "its key is not UTF-8, so no object has it")]


def test_records_keep_their_order() -> None:
    found = created(record("incoming/b.csv"), record("incoming/a.csv", "ObjectCreated:CompleteMultipartUpload"))
    assert [one.key for one in found] == ["incoming/b.csv", "incoming/a.csv"]
    assert created() == []


@pytest.mark.parametrize(
    "event",
    [
        None,
        "text",
        [],
        {},
        {"Records": None},
        {"Records": {}},
        {"Records": [None]},
        {"Records": [{"eventSource": "aws:sqs"}, {"s3": {}}]},
        {"Records": [{"Sns": {"Message": "{}"}}, {"s3": {}}]},
        {"bucket": "drops"},
        {"instances": [[1, 2, 3, 4]]},
        {"Event": "s3:Other"},
    ],
)
def test_what_is_no_notification_is_told_so(event: Any) -> None:
    with pytest.raises(EventError) as raised:
        storage.of(event)
    assert raised.value.message == (
        "this is no storage event; send what S3 or MinIO sends for s3:ObjectCreated:*, by itself or through SQS, SNS "
        'or EventBridge, or {"bucket": ..., "key": ...}'
    )


@pytest.mark.parametrize(
    "broken",
    [
        {"s3": None},
        {"s3": {}},
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}}},
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {}}},
        {"eventName": "ObjectCreated:Put", "s3": {"bucket": [], "object": {"key": "k"}}},
        {"s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}},
    ],
)
def test_a_broken_record_is_told_with_its_place(broken: dict[str, Any]) -> None:
    with pytest.raises(EventError) as raised:
        created(record("incoming/x.csv"), broken)
    assert raised.value.message == "Records[1] has no eventName, s3.bucket.name or s3.object.key"


@pytest.mark.parametrize("broken", [record(""), {**record("k"), "eventName": 3}])
def test_texts_are_to_be_texts(broken: dict[str, Any]) -> None:
    broken["s3"]["object"]["key"] = broken["s3"]["object"]["key"] or 7
    with pytest.raises(EventError) as raised:
        created(broken)
    assert raised.value.message == "Records[0]: eventName, s3.bucket.name and s3.object.key are to be texts"
