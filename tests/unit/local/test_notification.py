"""S3's event of a dropped file, and its way of writing keys."""

import json

import pytest

from functions.registry.store import Stat
from local.notification import created, encoded, keys


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("incoming/plain.csv", "incoming/plain.csv"),
        ("incoming/two words.csv", "incoming/two+words.csv"),
        ("incoming/a+b.csv", "incoming/a%2Bb.csv"),
        ("incoming/100%25.csv", "incoming/100%2525.csv"),
        ("incoming/Zürich/été.csv", "incoming/Z%C3%BCrich/%C3%A9t%C3%A9.csv"),
        ("incoming/~(a)*.csv", "incoming/%7E%28a%29*.csv"),
    ],
)
def test_keys_are_written_as_s3_writes_them_and_read_back(key: str, written: str) -> None:
    assert encoded(key) == written
    assert keys(created("drops", key, Stat("1", 1, "2026-11-22T19:52:07.000001+00:00"))) == [key]


def test_a_dropped_file_makes_a_whole_s3_event() -> None:
    made = json.loads(created("drops", "incoming/a b.csv", Stat("2f-10-5", 16, "2026-11-22T19:52:07.000001+00:00")))
    record = made["Records"][0]
    assert record.pop("eventTime").endswith("Z")
    assert record["responseElements"].pop("x-amz-request-id")
    assert made == {
        "Records": [
            {
                "eventVersion": "2.1",
                "eventSource": "aws:s3",
                "awsRegion": "us-east-1",
                "eventName": "ObjectCreated:Put",
                "userIdentity": {"principalId": "local"},
                "requestParameters": {"sourceIPAddress": "127.0.0.1"},
                "responseElements": {"x-amz-id-2": "local"},
                "s3": {
                    "s3SchemaVersion": "1.0",
                    "configurationId": "incoming",
                    "bucket": {
                        "name": "drops",
                        "ownerIdentity": {"principalId": "local"},
                        "arn": "arn:aws:s3:::drops",
                    },
                    "object": {
                        "key": "incoming/a+b.csv",
                        "size": 16,
                        "eTag": "2f-10-5",
                        "sequencer": "00000660E2CFE487C1",
                    },
                },
            }
        ]
    }


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"no json", b'{"Records": [{}]}', b'{"Records": null}'])
def test_what_is_no_storage_event_tells_of_no_keys(payload: bytes) -> None:
    assert keys(payload) == []
