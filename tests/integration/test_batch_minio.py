"""Batch on a real S3 server, as the role that the template gives it, from the server's own notifications."""

import gzip
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from functions import wiring
from functions.batch import BatchDoor
from functions.registry import alias
from functions.registry.store import Store, open_store
from functions.scoring.worker import Worker
from tests.event_listener import EventListener
from tests.minio_server import Credentials, Minio
from tests.models import VERSION, publish_iris
from tests.unit.scoring.stores import Killed, dying_at, interrupted_at

TWO = "20270101T000000Z-00000002"
HEADER = b"sepal_length,sepal_width,petal_length,petal_width,note"
GOOD = HEADER + b"\n5.1,3.5,1.4,0.2,a\n"
GOOD_SCORED = HEADER + b",prediction\n5.1,3.5,1.4,0.2,a,setosa\n"
KEY = "incoming/day/x.csv"
LARGE_ROWS = 12_000


@pytest.fixture
def registry(
    minio: Minio, model_bucket: str, trainer_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> Store:
    """The models, with two published versions of which the first is live."""
    for name, value in minio.environment(trainer_credentials).items():
        monkeypatch.setenv(name, value)
    store = open_store(f"s3://{model_bucket}")
    publish_iris(store)
    publish_iris(store, TWO, move=False)
    return store


@pytest.fixture(params=["versioned", "not versioned", "versioned, under a key of KMS"])
def any_bucket(request: pytest.FixtureRequest, drop_bucket: str, minio: Minio) -> str:
    """A bucket for drops; the template's is versioned, and a user's own may not be."""
    if request.param == "not versioned":
        with minio.client(minio.root) as root:
            root.put_bucket_versioning(Bucket=drop_bucket, VersioningConfiguration={"Status": "Suspended"})
    if "KMS" in request.param:
        minio.encrypt(drop_bucket)
    return drop_bucket


@pytest.fixture
def role(
    minio: Minio,
    registry: Store,
    model_bucket: str,
    drop_bucket: str,
    batch_credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment of the function: it acts as its role from here on."""
    assert registry.url == f"s3://{model_bucket}"
    for name, value in minio.environment(batch_credentials).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODEL_STORE", f"s3://{model_bucket}")
    monkeypatch.setenv("MODEL_NAME", "iris")
    monkeypatch.setenv("DATA_STORE", f"s3://{drop_bucket}")


@pytest.fixture
def door(role: None) -> BatchDoor:  # noqa: ARG001 # the environment is to be the role's before the door is made
    return BatchDoor(wiring.live_worker())


@pytest.fixture
def dropper(minio: Minio, drop_bucket: str, dropper_credentials: Credentials) -> Iterator["Dropper"]:
    with minio.client(dropper_credentials) as client:
        yield Dropper(client, drop_bucket)


class Dropper:
    """The person who drops files and fetches results, by boto3."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self.bucket = bucket

    def put(self, key: str, body: bytes) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        found: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return found

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self.bucket, Key=key)

    def head(self, key: str) -> Any:
        return self._client.head_object(Bucket=self.bucket, Key=key)

    def names(self) -> list[str]:
        """Everything that is there now."""
        found = self._client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return [one["Key"] for one in found]

    def uploads(self) -> list[Any]:
        """Multipart uploads that nobody finished."""
        found: list[Any] = self._client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
        return found

    def summary(self, key: str = KEY) -> Any:
        return json.loads(self.get(key.replace("incoming/", "scored/") + ".summary.json"))

    def assert_whole(self, key: str = KEY) -> None:
        """The summary vouches for what is there, and nothing else is."""
        scored, rejected = key.replace("incoming/", "scored/"), key.replace("incoming/", "rejected/")
        found, keys = self.summary(key), self.names()
        dropped = self.head(key)
        assert found["input"]["etag"] == dropped["ETag"]
        assert found["input"]["version_id"] == dropped.get("VersionId")
        for name, output in (("scored", scored), ("rejected", rejected)):
            named = found["outputs"][name]
            assert (output in keys) == (named is not None)
            if named is not None:
                there = self.head(output)
                assert named == {"key": output, "etag": there["ETag"], "bytes": there["ContentLength"]}
        assert not [one for one in keys if "claim" in one]
        assert self.uploads() == []


def event(bucket: str, key: str = KEY) -> dict[str, Any]:
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": bucket}, "object": {"key": key}}}
    return {"Records": [record]}


def large() -> bytes:
    """A file of several ranges, whose result has several parts."""
    return HEADER + b"\n" + b"".join(b"5.1,3.5,1.4,0.2,%06d%s\n" % (row, b"x" * 1000) for row in range(LARGE_ROWS))


NAMES = ["iris.csv", "a day/b c.csv", "a+b.csv", "50%.csv", "a%2Fb.csv", "ü/日本.CSV", "a&b=c?d#e.csv", "~(x)'!*.csv"]


def test_dropped_files_of_any_name_are_scored_from_the_servers_own_notifications(
    door: BatchDoor, dropper: Dropper, events: EventListener
) -> None:
    for name in NAMES:
        dropper.put(f"incoming/{name}", GOOD)
    for notification in events.wait(dropper.bucket, len(NAMES)):
        assert [record["status"] for record in door(notification, None)["records"]] == ["scored"]
    for name in NAMES:
        assert dropper.get(f"scored/{name}") == GOOD_SCORED
        dropper.assert_whole(f"incoming/{name}")


def test_what_batch_writes_notifies_nobody(door: BatchDoor, dropper: Dropper, events: EventListener) -> None:
    dropper.put(KEY, GOOD)
    door(events.wait(dropper.bucket)[0], None)
    dropper.put("incoming/last.csv", GOOD)
    assert [one["Key"] for one in events.wait(dropper.bucket, 2)] == [
        f"{dropper.bucket}/{KEY}",
        f"{dropper.bucket}/incoming/last.csv",
    ]


def test_a_folders_placeholder_notifies_and_is_acknowledged(
    door: BatchDoor, dropper: Dropper, events: EventListener
) -> None:
    dropper.put("incoming/new folder/", b"")
    assert door(events.wait(dropper.bucket)[0], None)["records"] == [
        {"key": "incoming/new folder/", "status": "ignored", "reason": "it is a folder's placeholder", "rows": None}
    ]


def test_a_drop_goes_through_its_life(
    door: BatchDoor,
    dropper: Dropper,
    any_bucket: str,
    minio: Minio,
    registry: Store,
    trainer_credentials: Credentials,
    batch_credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Scored, sent again, promoted, uploaded again, refused, deleted; what is there is always vouched for."""

    def promote(version: str) -> None:
        for credentials in (trainer_credentials, batch_credentials):
            for name, value in minio.environment(credentials).items():
                monkeypatch.setenv(name, value)
            if credentials is trainer_credentials:
                alias.move(open_store(registry.url), "iris", "live", version, by="test")

    def statuses() -> list[str]:
        return [record["status"] for record in door(event(any_bucket), None)["records"]]

    dropper.put(KEY, GOOD + b"5.1,3.5,1.4,,b\n")
    assert statuses() == ["scored"]
    dropper.assert_whole()
    assert dropper.get("scored/day/x.csv") == GOOD_SCORED
    assert dropper.get("rejected/day/x.csv").endswith(b'"5.1,3.5,1.4,,b"\n')
    promote(TWO)
    assert statuses() == ["already_done"]
    assert dropper.summary()["model"]["version"] == VERSION
    dropper.put(KEY, GOOD)
    assert statuses() == ["scored"]
    dropper.assert_whole()
    assert dropper.summary()["model"]["version"] == TWO
    assert "rejected/day/x.csv" not in dropper.names()
    dropper.put(KEY, b"a,b\n1,2\n")
    assert statuses() == ["refused"]
    dropper.assert_whole()
    assert dropper.names() == [KEY, "scored/day/x.csv.summary.json"]
    dropper.delete(KEY)
    assert statuses() == ["gone"]


def test_a_large_file_is_read_in_ranges_and_written_in_parts(door: BatchDoor, dropper: Dropper) -> None:
    body = large()
    dropper.put(KEY, body)
    rows = {"input": LARGE_ROWS, "scored": LARGE_ROWS, "rejected": 0, "blank": 0}
    assert door(event(dropper.bucket), None)["records"] == [
        {"key": KEY, "status": "scored", "reason": None, "rows": rows}
    ]
    dropper.assert_whole()
    assert dropper.get("scored/day/x.csv") == body.replace(b"note\n", b"note,prediction\n").replace(
        b"x\n", b"x,setosa\n"
    )
    assert dropper.head("scored/day/x.csv")["ETag"].endswith('-2"')


def test_a_gzip_drop_gives_gzip_back(door: BatchDoor, dropper: Dropper) -> None:
    dropper.put(KEY + ".gz", gzip.compress(GOOD))
    door(event(dropper.bucket, KEY + ".gz"), None)
    assert gzip.decompress(dropper.get("scored/day/x.csv.gz")) == GOOD_SCORED
    dropper.assert_whole(KEY + ".gz")


def test_workers_at_once_on_one_large_drop_write_the_same_bytes(door: BatchDoor, dropper: Dropper) -> None:
    dropper.put(KEY, large())
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: door(event(dropper.bucket), None), range(3)))
    assert {record["status"] for answer in answers for record in answer["records"]} <= {"scored", "already_done"}
    dropper.assert_whole()


def on(store: Store, door: BatchDoor) -> Worker:
    """The door's worker, on a store that is watched."""
    worker = door._live.get()
    return Worker(store, worker._models, worker._options, worker._max_rejected_share)


def test_a_file_replaced_while_it_is_read_is_started_again(door: BatchDoor, dropper: Dropper) -> None:
    dropper.put(KEY, large())
    data = open_store(f"s3://{dropper.bucket}")
    calls = WatchedCalls(data)
    on(calls.store, door).score(KEY)
    dropper.put(KEY, large())
    reads = range(calls.first_read + 1, calls.first_read + 3)
    for number in reads:
        dropper.put(KEY, large())
        report = on(interrupted_at(data, number, lambda: dropper.put(KEY, GOOD)), door).score(KEY)
        assert (report.status, report.size) == ("scored", len(GOOD))
        assert dropper.get("scored/day/x.csv") == GOOD_SCORED
        dropper.assert_whole()


class WatchedCalls:
    """Finds out at which call the input is first read."""

    def __init__(self, inner: Store) -> None:
        self.first_read = 0
        self.store = interrupted_at(inner, 0, lambda: None)
        read: Callable[..., bytes] = self.store.read

        def noted(key: str, start: int, end: int, *, etag: str) -> bytes:
            self.first_read = self.first_read or self.store.calls + 1
            return read(key, start, end, etag=etag)

        self.store.read = noted  # type: ignore[method-assign] # noted on the way, then done


@pytest.mark.parametrize("done", [False, True], ids=["before the call", "after the call"])
def test_a_worker_that_dies_at_any_call_leaves_nothing_half(door: BatchDoor, dropper: Dropper, done: bool) -> None:
    data = open_store(f"s3://{dropper.bucket}")
    body = GOOD + b"5.1,3.5,1.4,,b\n"
    dropper.put(KEY, body)
    watched = interrupted_at(data, 0, lambda: None)
    on(watched, door).score(KEY)
    assert watched.calls > 10
    for last in range(1, watched.calls + 1):
        dropper.put(KEY, body)
        with pytest.raises(Killed):
            on(dying_at(data, last, done=done), door).score(KEY)
        assert door(event(dropper.bucket), None)["records"][0]["status"] in ("scored", "already_done")
        assert dropper.get("scored/day/x.csv") == GOOD_SCORED
        assert dropper.summary()["rows"] == {"input": 2, "scored": 1, "rejected": 1, "blank": 0}


@pytest.mark.usefixtures("role")
def test_without_a_bucket_the_event_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from functions.errors import Unfinished

    monkeypatch.setenv("DATA_STORE", "s3://no-such-bucket-here")
    door = BatchDoor(wiring.live_worker())
    with pytest.raises(Unfinished):
        door(event("no-such-bucket-here"), None)
