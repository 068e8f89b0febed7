"""The store's contract, kept alike by the memory, a folder and a bucket on a real S3 server."""

import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from functions.errors import AccessDenied, NotModified, ObjectNotFound, PreconditionFailed, ServingError, StoreError
from functions.registry.folder import FolderStore
from functions.registry.memory import MemoryStore
from functions.registry.store import Store, open_store
from tests.minio_server import Minio, allow_s3
from tests.permissions import read_only, readable_folder

PIECE = b"0123456789abcdef" * 65536  # 1 MiB
ODD_KEYS = [
    "a b/c d.csv",
    "a+b.csv",
    "a%2Fb.csv",
    "50%.csv",
    "ü/ß.csv",
    "a\u0301.csv",
    "日本\u3000語.csv",
    "nb\u00a0sp.csv",
    "a&b=c?d#e.csv",
    "q'\"q.csv",
    "[x]*|~.csv",
    "back\\slash.csv",
    "x..y/.hidden",
]


@pytest.fixture(scope="module")
def shared(minio: Minio) -> tuple[str, dict[str, str]]:
    """A bucket for this file, and the environment of somebody who may do everything in it."""
    return shared_bucket(minio)


@pytest.fixture(scope="module")
def encrypted(minio: Minio) -> tuple[str, dict[str, str]]:
    """The same under a key of KMS, where ETags are no MD5s, and two writes of the same bytes have two."""
    bucket, environment = shared_bucket(minio)
    minio.encrypt(bucket)
    return bucket, environment


def shared_bucket(minio: Minio) -> tuple[str, dict[str, str]]:
    bucket = minio.bucket(f"shared-{secrets.token_hex(6)}")
    return bucket, minio.environment(minio.user(allow_s3(bucket)))


@pytest.fixture(params=["memory", "folder", "bucket", "encrypted bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    if request.param == "memory":
        return MemoryStore()
    if request.param == "folder":
        return open_store((tmp_path / "a store").as_uri())
    bucket, environment = request.getfixturevalue("encrypted" if "encrypted" in request.param else "shared")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return open_store(f"s3://{bucket}/some prefix/{secrets.token_hex(6)}")


def refusal(act: Callable[[], object]) -> tuple[type[ServingError], str]:
    with pytest.raises(ServingError) as raised:
        act()
    return type(raised.value), raised.value.message


def test_what_is_put_is_got_and_told(store: Store) -> None:
    made = store.put("folder/key.bin", b"\x00body")
    got = store.get("folder/key.bin")
    assert (got.body, got.etag) == (b"\x00body", made.etag)
    assert store.stat("folder/key.bin").size == 5
    assert store.stat("folder/key.bin").etag == made.etag


def test_an_empty_object_is_an_object(store: Store) -> None:
    store.put("empty", b"")
    assert store.get("empty").body == b""
    assert store.stat("empty").size == 0
    assert store.read("empty", 0, 10, etag=store.stat("empty").etag) == b""


def test_what_is_not_there_is_not_found(store: Store) -> None:
    expected = (ObjectNotFound, f"no/such is not in {store.url}")
    assert refusal(lambda: store.get("no/such")) == expected
    assert refusal(lambda: store.stat("no/such")) == expected
    assert refusal(lambda: store.read("no/such", 0, 1, etag='"any"')) == expected


def test_a_folder_of_keys_is_no_object(store: Store) -> None:
    store.put("a/b", b"x")
    assert refusal(lambda: store.get("a")) == (ObjectNotFound, f"a is not in {store.url}")
    assert refusal(lambda: store.stat("a")) == (ObjectNotFound, f"a is not in {store.url}")


def test_create_makes_an_object_once(store: Store) -> None:
    store.put("key", b"first", create=True)
    refused = refusal(lambda: store.put("key", b"second", create=True))
    assert refused == (PreconditionFailed, "key exists already")
    assert store.get("key").body == b"first"


def test_if_match_replaces_only_what_was_seen(store: Store) -> None:
    first = store.put("key", b"first")
    second = store.put("key", b"second", if_match=first.etag)
    assert second.etag != first.etag
    refused = refusal(lambda: store.put("key", b"third", if_match=first.etag))
    assert refused == (PreconditionFailed, "key was changed by somebody else")
    assert store.get("key").body == b"second"


def test_a_read_that_knows_the_etag_is_told_that_nothing_changed(store: Store) -> None:
    first = store.put("key", b"first")
    assert refusal(lambda: store.get("key", if_none_match=first.etag)) == (NotModified, "key is unchanged")
    second = store.put("key", b"second")
    found = store.get("key", if_none_match=first.etag)
    assert (found.body, found.etag) == (b"second", second.etag)
    store.delete("key")
    assert refusal(lambda: store.get("key", if_none_match=second.etag))[0] is ObjectNotFound


def test_if_match_never_makes_an_object(store: Store) -> None:
    refused = refusal(lambda: store.put("key", b"body", if_match='"never"'))
    assert refused == (PreconditionFailed, "key was changed by somebody else")
    assert list(store.keys("")) == []


@pytest.mark.parametrize("conditional", ["create", "if_match"])
def test_of_writers_at_once_exactly_one_wins(store: Store, conditional: str) -> None:
    seen = None if conditional == "create" else store.put("key", b"before").etag
    barrier = Barrier(8)

    def write(number: int) -> int | None:
        barrier.wait()
        try:
            store.put("key", f"writer {number}".encode(), create=seen is None, if_match=seen)
        except PreconditionFailed:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        winners = [number for number in threads.map(write, range(8)) if number is not None]
    assert len(winners) == 1
    assert store.get("key").body == f"writer {winners[0]}".encode()


def test_reading_a_range_gives_its_bytes_and_no_more_than_there_are(store: Store) -> None:
    etag = store.put("key", b"0123456789").etag
    ranges = [(0, 4), (4, 10), (8, 99), (10, 20), (50, 60), (3, 3), (5, 2)]
    assert [store.read("key", start, end, etag=etag) for start, end in ranges] == [
        b"0123",
        b"456789",
        b"89",
        b"",
        b"",
        b"",
        b"",
    ]


def test_reading_notices_that_the_object_was_replaced(store: Store) -> None:
    etag = store.put("key", b"0123456789").etag
    store.put("key", b"other bytes")
    assert refusal(lambda: store.read("key", 0, 4, etag=etag))[0] is PreconditionFailed
    assert refusal(lambda: store.read("key", 50, 60, etag=etag))[0] is PreconditionFailed


def test_reading_notices_that_the_object_was_deleted(store: Store) -> None:
    etag = store.put("key", b"0123456789").etag
    store.delete("key")
    assert refusal(lambda: store.read("key", 0, 4, etag=etag)) == (ObjectNotFound, f"key is not in {store.url}")


def test_deleting_takes_one_object_away_and_may_be_done_twice(store: Store) -> None:
    store.put("key", b"x")
    store.put("key2", b"y")
    store.delete("key")
    store.delete("key")
    store.delete("never/was")
    assert list(store.keys("")) == ["key2"]


def test_keys_come_in_lexical_order_and_by_any_prefix(store: Store) -> None:
    for key in ["b/2", "b/10", "a", "b/1", "b-1", "bb", "B/1", "ä"]:
        store.put(key, b"")
    assert list(store.keys("")) == ["B/1", "a", "b-1", "b/1", "b/10", "b/2", "bb", "ä"]
    assert list(store.keys("b/")) == ["b/1", "b/10", "b/2"]
    assert list(store.keys("b/1")) == ["b/1", "b/10"]
    assert list(store.keys("b")) == ["b-1", "b/1", "b/10", "b/2", "bb"]
    assert list(store.keys("nothing/here")) == []


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_odd_key_is_one_key_to_all(store: Store, key: str) -> None:
    store.put(key, b"odd", create=True)
    etag = store.stat(key).etag
    assert store.get(key).body == b"odd"
    assert store.read(key, 1, 3, etag=etag) == b"dd"
    assert list(store.keys(key)) == [key]
    assert list(store.keys("")) == [key]
    writer = store.writer(key)
    writer.write(b"even")
    writer.commit()
    assert store.get(key).body == b"even"
    store.delete(key)
    assert list(store.keys("")) == []


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "a/./b", "a/../b", "..", "a\tb", "a\nb", "a\0b", "a\ud800b"])
def test_a_key_that_would_be_filed_elsewhere_is_refused(store: Store, key: str) -> None:
    expected = (StoreError, f"{key!r} cannot be a key here: a part is empty, '.' or '..', or a character is a control")
    assert refusal(lambda: store.put(key, b"")) == expected
    assert refusal(lambda: store.get(key)) == expected
    assert refusal(lambda: store.stat(key)) == expected
    assert refusal(lambda: store.read(key, 0, 1, etag='"any"')) == expected
    assert refusal(lambda: store.delete(key)) == expected
    assert refusal(lambda: store.writer(key)) == expected
    assert list(store.keys("")) == []


def test_a_writer_shows_nothing_before_its_commit_and_all_of_it_after(store: Store) -> None:
    store.put("key", b"before")
    writer = store.writer("key")
    for _ in range(20):
        writer.write(PIECE)
    assert store.get("key").body == b"before"
    assert list(store.keys("")) == ["key"]
    made = writer.commit()
    writer.abort()  # does nothing any more
    got = store.get("key")
    assert got.body == PIECE * 20
    assert (made.etag, made.size) == (got.etag, 20 * len(PIECE))


@pytest.mark.parametrize("pieces", [0, 1, 20])
def test_equal_pieces_make_equal_objects(store: Store, pieces: int) -> None:
    for key in ("one", "two"):
        writer = store.writer(key)
        for _ in range(pieces):
            writer.write(PIECE)
        writer.commit()
    assert store.get("one").body == store.get("two").body == PIECE * pieces


@pytest.mark.parametrize("pieces", [0, 1, 20])
def test_a_writer_given_up_leaves_what_was_there(store: Store, pieces: int) -> None:
    store.put("key", b"before")
    for key in ("key", "other"):
        writer = store.writer(key)
        for _ in range(pieces):
            writer.write(PIECE)
        writer.abort()
        writer.abort()
    assert list(store.keys("")) == ["key"]
    assert store.get("key").body == b"before"


def test_two_writers_of_one_key_do_not_mix(store: Store) -> None:
    one, two = store.writer("key"), store.writer("key")
    one.write(b"1" * 100)
    two.write(b"2" * 50)
    one.write(b"1" * 100)
    two.commit()
    assert store.get("key").body == b"2" * 50
    one.commit()
    assert store.get("key").body == b"1" * 200


def test_what_is_no_file_is_no_object_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    store = FolderStore(tmp_path)
    for act in (store.stat, store.get, lambda key: store.read(key, 0, 1, etag="e")):
        with pytest.raises(ObjectNotFound):
            act("pipe")


def test_folder_names_are_plain_paths_or_file_urls(tmp_path: Path) -> None:
    named = tmp_path / "my bucket"
    FolderStore(named).put("key", b"x")
    for url in (str(named), named.as_uri()):
        opened = open_store(url)
        assert (opened.url, opened.bucket, opened.prefix) == (named.as_uri(), "my bucket", "")
        assert opened.get("key").body == b"x"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://", "'s3://' names no bucket; write s3://bucket or s3://bucket/prefix"),
        ("s3:///key", "'s3:///key' names no bucket; write s3://bucket or s3://bucket/prefix"),
        ("gs://bucket", "'gs://bucket' is not a store; write s3://bucket[/prefix] or file:///folder"),
        ("file://folder", "'file://folder' names no absolute folder; write file:///folder with three slashes"),
    ],
)
def test_a_url_that_is_no_store_is_refused(url: str, message: str) -> None:
    with pytest.raises(ServingError) as raised:
        open_store(url)
    assert (raised.value.code, raised.value.message) == ("not_configured", message)


def test_what_a_killed_writer_left_in_a_folder_is_swept_and_a_living_ones_is_not(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("key", b"x")
    dead = tmp_path / ".store" / "dead.part"
    dead.write_bytes(b"half an obj")
    living = store.writer("key")
    living.write(b"living")
    store.put("other", b"y")
    assert not dead.exists()
    living.commit()
    assert store.get("key").body == b"living"
    assert [path.name for path in (tmp_path / ".store").iterdir()] == ["lock"]


def test_a_folder_can_be_read_without_leave_to_write_and_says_so_when_written() -> None:
    with readable_folder() as folder:
        store = FolderStore(folder)
        etag = store.put("models/a", b"x").etag
        with read_only(folder):
            assert store.get("models/a").body == b"x"
            assert store.read("models/a", 0, 1, etag=etag) == b"x"
            assert list(store.keys("")) == ["models/a"]
            expected = (AccessDenied, f"no permission to write models/b in {store.url}")
            assert refusal(lambda: store.put("models/b", b"y")) == expected
            assert refusal(lambda: store.writer("models/b")) == expected


def test_a_file_where_the_folder_should_be_is_said_on_writing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = FolderStore(tmp_path / "file")
    error, message = refusal(lambda: store.put("key", b"x"))
    assert (error.code, message) == ("store_unavailable", f"{store.url}: key cannot be written: Not a directory")
    assert refusal(lambda: store.get("key")) == (ObjectNotFound, f"key is not in {store.url}")


def test_two_writes_of_one_clock_tick_have_different_etags(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    etags = {store.put("key", b"same size").etag for _ in range(50)}
    assert len(etags) == 50
