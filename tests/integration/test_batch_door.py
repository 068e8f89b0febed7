"""The door as Lambda calls it, over a folder store, from event to answer."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions import wiring
from functions.batch import BatchDoor
from functions.errors import EventError, ModelNotFound, Unfinished
from functions.registry.folder import FolderStore
from tests.models import VERSION, publish_iris

GOOD = b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n"
SCORED = GOOD.replace(b"_width\n", b"_width,prediction\n").replace(b"0.2\n", b"0.2,setosa\n")
ROWS = {"input": 1, "scored": 1, "rejected": 0, "blank": 0}


class Context:
    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderStore:
    """A folder named `drops` that holds the models too; the environment names it."""
    for name in [name for name in os.environ if name.startswith(("MODEL_", "DATA_", "BATCH_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("MODEL_STORE", (tmp_path / "drops").as_uri())
    monkeypatch.setenv("MODEL_NAME", "iris")
    return FolderStore(tmp_path / "drops")


@pytest.fixture
def door(store: FolderStore) -> BatchDoor:
    publish_iris(store)
    return BatchDoor(wiring.live_worker())


def event(*keys: str, bucket: str = "drops") -> dict[str, Any]:
    return {
        "Records": [
            {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
            for key in keys
        ]
    }


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Log lines without their time, and metrics without their directive."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [
        {key: value for key, value in line.items() if key not in ("timestamp", "_aws", "Milliseconds")}
        for line in lines
    ]


def test_every_record_is_handled_in_turn_and_answered(door: BatchDoor, store: FolderStore) -> None:
    store.put("incoming/a b.csv", GOOD)
    store.put("incoming/ü/c+d.CSV", GOOD)
    store.put("incoming/bad.csv", b"a,b\n1,2\n")
    answer = door(event("incoming/a+b.csv", "incoming%2F%C3%BC%2Fc%2Bd.CSV", "incoming/bad.csv"), Context())
    assert answer == {
        "records": [
            {"key": "incoming/a b.csv", "status": "scored", "reason": None, "rows": ROWS},
            {"key": "incoming/ü/c+d.CSV", "status": "scored", "reason": None, "rows": ROWS},
            {
                "key": "incoming/bad.csv",
                "status": "refused",
                "reason": (
                    "missing_columns: the header lacks 'sepal_length', 'sepal_width', 'petal_length', 'petal_width'; "
                    "it has 'a', 'b'. Names must match exactly; where the separator is none of comma, semicolon and "
                    "tab, set BATCH_SEPARATOR"
                ),
                "rows": {"input": 0, "scored": 0, "rejected": 0, "blank": 0},
            },
        ]
    }
    assert json.loads(json.dumps(answer)) == answer
    assert store.get("scored/ü/c+d.CSV").body == (
        b"sepal_length,sepal_width,petal_length,petal_width,prediction\n5.1,3.5,1.4,0.2,setosa\n"
    )


def test_what_is_no_drop_is_acknowledged_with_the_reason_in_the_answer_and_the_log(
    door: BatchDoor, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    reasons = {
        "incoming/": "it is a folder's placeholder",
        "incoming/x/": "it is a folder's placeholder",
        "incoming/x.txt": "its name ends in neither .csv nor .csv.gz",
        "scored/x.csv": "it is outside incoming/",
        "models/iris/aliases/live.json": "it is outside incoming/",
    }
    assert door(event(*reasons), Context()) == {
        "records": [
            {"key": key, "status": "ignored", "reason": reason, "rows": None} for key, reason in reasons.items()
        ]
    }
    assert logged(capsys) == [
        {"level": "INFO", "message": "ignored", "key": key, "reason": reason} for key, reason in reasons.items()
    ]
    assert door(event("incoming/x.csv", bucket="other"), Context())["records"][0]["reason"] == (
        "it is in the bucket 'other'; this function scores 'drops'"
    )
    assert door({"Event": "s3:TestEvent"}, Context()) == {
        "records": [{"key": None, "status": "ignored", "reason": "it is S3's test event", "rows": None}]
    }


def test_an_object_that_is_gone_is_acknowledged(door: BatchDoor) -> None:
    assert door(event("incoming/gone.csv"), Context())["records"] == [
        {"key": "incoming/gone.csv", "status": "gone", "reason": "there is no such object any more", "rows": None}
    ]


def test_the_same_event_twice_does_the_work_once_and_counts_it_once(
    door: BatchDoor, store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put("incoming/a.csv", GOOD)
    door(event("incoming/a.csv"), Context())
    capsys.readouterr()
    assert door(event("incoming/a.csv"), Context())["records"] == [
        {"key": "incoming/a.csv", "status": "already_done", "reason": "this drop was scored before", "rows": ROWS}
    ]
    assert logged(capsys) == [
        {
            "level": "INFO",
            "message": "drop",
            "function": "batch",
            "RowsScored": 0,
            "RowsRejected": 0,
            "Bytes": 0,
            "model": VERSION,
            "key": "incoming/a.csv",
            "status": "already_done",
            "reason": "this drop was scored before",
            "rows": ROWS,
        }
    ]


def test_one_record_that_fails_does_not_stop_the_others_and_the_event_is_sent_again(
    door: BatchDoor, store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put("incoming/a.csv", GOOD)
    store.put("incoming/b.csv", GOOD)
    store.put("scored/a.csv/x", b"")  # nothing can be written where a folder is
    capsys.readouterr()
    with pytest.raises(Unfinished) as raised:
        door(event("incoming/a.csv", "incoming/b.csv"), Context())
    assert raised.value.message.startswith("1 of 2 not finished: incoming/a.csv: ")
    assert store.get("scored/b.csv").body.endswith(b",setosa\n")
    errors = [line for line in logged(capsys) if line["level"] == "ERROR"]
    assert [(line["message"], line["key"], line["request_id"]) for line in errors] == [
        ("the drop was not finished", "incoming/a.csv", "request-1")
    ]


@pytest.mark.parametrize("broken", [None, {}, {"instances": []}, {"Records": [{"s3": {}}]}])
def test_an_event_of_another_shape_is_an_error(door: BatchDoor, broken: Any) -> None:
    with pytest.raises(EventError):
        door(broken, Context())


def test_no_model_fails_the_event_and_the_next_one_finds_it(
    store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put("incoming/a.csv", GOOD)
    door = BatchDoor(wiring.live_worker())
    told = f"iris has no alias live in {store.url}; train and publish it, or name another"
    assert logged(capsys) == [
        {"level": "ERROR", "message": "the model cannot be loaded", "code": "model_not_found", "error": told}
    ]
    with pytest.raises(Unfinished) as raised:
        door(event("incoming/a.csv"), Context())
    assert raised.value.message == f"1 of 1 not finished: incoming/a.csv: {told}"
    assert isinstance(raised.value.__cause__, ModelNotFound)
    publish_iris(store)
    assert door(event("incoming/a.csv"), Context())["records"][0]["status"] == "scored"


def test_a_missing_setting_fails_no_import_and_every_event(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], store: FolderStore
) -> None:
    monkeypatch.delenv("MODEL_NAME")
    door = BatchDoor(wiring.live_worker())
    assert logged(capsys)[0]["error"] == "MODEL_NAME is not set; set it to the model's name in the registry"
    with pytest.raises(Unfinished, match="MODEL_NAME is not set"):
        door(event("incoming/a.csv"), Context())
    monkeypatch.setenv("MODEL_NAME", "iris")
    publish_iris(store)
    store.put("incoming/a.csv", GOOD)
    assert door(event("incoming/a.csv"), Context())["records"][0]["status"] == "scored"


def test_a_pinned_version_is_used_whatever_the_alias_names(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_iris(store)
    publish_iris(store, "20270101T000000Z-00000002")
    monkeypatch.setenv("MODEL_VERSION", VERSION)
    door = BatchDoor(wiring.live_worker())
    store.put("incoming/a.csv", GOOD)
    door(event("incoming/a.csv"), Context())
    assert json.loads(store.get("scored/a.csv.summary.json").body)["model"]["version"] == VERSION


def sqs(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"messageId": f"m{number}", "eventSource": "aws:sqs", "body": body} for number, body in enumerate(bodies)
        ]
    }


def test_a_queue_is_told_which_messages_are_to_come_back_and_the_others_are_scored(
    door: BatchDoor, store: FolderStore, capsys: pytest.CaptureFixture[str]
) -> None:
    store.put("incoming/a.csv", GOOD)
    store.path("incoming/loop.csv").symlink_to("loop.csv")
    capsys.readouterr()
    bodies = json.dumps(event("incoming/loop.csv")), "no JSON", json.dumps(event("incoming/a.csv"))
    assert door(sqs(*bodies), Context()) == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}
    errors = [line["message"] for line in logged(capsys) if line["level"] == "ERROR"]
    assert errors == ["the drop was not finished", "the message cannot be read"]
    assert store.get("scored/a.csv").body == SCORED
    assert door(sqs(bodies[2]), Context()) == {"batchItemFailures": []}


def test_a_topics_message_that_cannot_be_read_fails_the_event(door: BatchDoor) -> None:
    with pytest.raises(Unfinished) as raised:
        door({"Records": [{"Sns": {"Message": "no JSON"}}]}, Context())
    assert raised.value.message == "1 of 1 not finished: message: the message is not JSON"


def test_a_task_is_answered_like_a_notification(door: BatchDoor, store: FolderStore) -> None:
    store.put("incoming/a+b.csv", GOOD)
    assert door({"bucket": "drops", "key": "incoming/a+b.csv"}, Context()) == {
        "records": [{"key": "incoming/a+b.csv", "status": "scored", "reason": None, "rows": ROWS}]
    }


@pytest.mark.parametrize(
    ("setting", "value", "header"),
    [
        ("BATCH_PROBABILITIES", "true", b",prediction,probability_setosa,probability_versicolor,probability_virginica"),
        ("BATCH_PROBABILITIES", "", b",prediction"),
    ],
)
def test_settings_reach_the_loop(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, header: bytes
) -> None:
    publish_iris(store)
    monkeypatch.setenv(setting, value)
    door = BatchDoor(wiring.live_worker())
    store.put("incoming/a.csv", GOOD)
    door(event("incoming/a.csv"), None)
    assert store.get("scored/a.csv").body.partition(b"\n")[0] == GOOD.partition(b"\n")[0] + header


def test_data_may_lie_elsewhere_than_models(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_iris(store)
    monkeypatch.setenv("DATA_STORE", (tmp_path / "elsewhere").as_uri())
    data = FolderStore(tmp_path / "elsewhere")
    data.put("incoming/a.csv", GOOD)
    door = BatchDoor(wiring.live_worker())
    assert door(event("incoming/a.csv"), Context())["records"][0]["status"] == "ignored"
    assert door(event("incoming/a.csv", bucket="elsewhere"), Context())["records"][0]["status"] == "scored"


def test_importing_the_door_calls_nothing_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib
    import sys

    monkeypatch.delenv("MODEL_STORE", raising=False)
    monkeypatch.delitem(sys.modules, "functions.batch", raising=False)
    handler: Callable[..., Any] = importlib.import_module("functions.batch").handler
    with pytest.raises(EventError):
        handler({}, None)
