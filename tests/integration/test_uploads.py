"""Uploads in numbered pieces: one contract, in memory and on a real S3 server."""

import secrets
from collections.abc import Iterator

import pytest

from functions.errors import AccessDenied, NotConfigured, ObjectNotFound, PreconditionFailed, StoreError
from functions.registry.folder import FolderStore
from functions.registry.memory import MemoryStore
from functions.registry.store import Store, open_store
from functions.registry.uploads import Uploads, open_uploads
from tests.minio_server import Minio, allow_s3

MARK = "0123456789abcdef"
KEY = "scored/day/ä b+c.csv"
MIB = 1024 * 1024
FULL = b"x" * (5 * MIB)


@pytest.fixture(params=["memory", "s3", "s3 under a prefix", "s3 under a key of KMS"])
def store(
    request: pytest.FixtureRequest, minio: Minio, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    if "KMS" in request.param:
        minio.encrypt(bucket)
    for name, value in minio.environment(minio.user(allow_s3(bucket))).items():
        monkeypatch.setenv(name, value)
    yield open_store(f"s3://{bucket}" + ("/deep/down" if "prefix" in request.param else ""))


@pytest.fixture
def uploads(store: Store) -> Uploads:
    return open_uploads(store)


def test_pieces_become_one_object_in_order_of_their_numbers_and_nothing_shows_before(
    store: Store, uploads: Uploads
) -> None:
    upload = uploads.create(KEY, MARK)
    last = uploads.put(KEY, upload, 7, b"end")
    first = uploads.put(KEY, upload, 2, FULL)
    assert list(store.keys("scored/")) == []
    assert uploads.pending(KEY) == [upload]
    uploads.complete(KEY, upload, [first, last])
    assert store.get(KEY).body == FULL + b"end"
    assert uploads.pending(KEY) == []


def test_an_object_is_known_by_the_mark_of_its_upload_until_it_is_replaced(store: Store, uploads: Uploads) -> None:
    with pytest.raises(ObjectNotFound):
        uploads.made(KEY, MARK)
    upload = uploads.create(KEY, MARK)
    piece = uploads.put(KEY, upload, 1, b"x")
    uploads.complete(KEY, upload, [piece])
    assert uploads.made(KEY, MARK) == store.stat(KEY)
    assert uploads.made(KEY, "of another") is None
    store.put(KEY, b"x")
    assert uploads.made(KEY, MARK) is None


def test_a_piece_may_be_sent_again_and_the_last_one_counts(store: Store, uploads: Uploads) -> None:
    upload = uploads.create(KEY, MARK)
    before = uploads.put(KEY, upload, 1, b"before")
    now = uploads.put(KEY, upload, 1, b"now")
    with pytest.raises(PreconditionFailed):
        uploads.complete(KEY, upload, [before])
    uploads.complete(KEY, upload, [now])
    assert store.get(KEY).body == b"now"


def test_an_upload_that_is_over_takes_nothing_more_and_says_so(uploads: Uploads) -> None:
    upload = uploads.create(KEY, MARK)
    piece = uploads.put(KEY, upload, 1, b"x")
    uploads.abort(KEY, upload)
    uploads.abort(KEY, upload)
    assert uploads.pending(KEY) == []
    with pytest.raises(ObjectNotFound):
        uploads.put(KEY, upload, 2, b"y")
    with pytest.raises(ObjectNotFound):
        uploads.complete(KEY, upload, [piece])


def test_another_keys_uploads_are_not_pending_here(uploads: Uploads) -> None:
    uploads.create(f"{KEY}.gz", MARK)
    assert uploads.pending(KEY) == []


def test_a_piece_too_small_is_refused_but_for_the_last(uploads: Uploads) -> None:
    upload = uploads.create(KEY, MARK)
    pieces = [uploads.put(KEY, upload, number, b"small") for number in (1, 2)]
    with pytest.raises(StoreError):
        uploads.complete(KEY, upload, pieces)


def test_credentials_that_may_not_are_told_so(minio: Minio, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = minio.user(allow_s3(f"other-{secrets.token_hex(4)}"))
    for name, value in minio.environment(stranger).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AccessDenied) as raised:
        open_uploads(open_store(f"s3://{bucket}")).create(KEY, MARK)
    assert raised.value.message == f"the credentials in use may not upload {KEY} in parts to s3://{bucket}"


def test_a_server_that_is_not_there_is_told_so(bucket: str, minio: Minio, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in minio.environment(minio.root).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreError, match=f"^s3://{bucket} did not take this of {KEY.replace('+', '.')}"):
        open_uploads(open_store(f"s3://{bucket}")).create(KEY, MARK)


def test_a_folder_takes_none_and_says_what_does(tmp_path: object) -> None:
    with pytest.raises(NotConfigured, match=r"takes no uploads in parts; fan-out needs DATA_STORE to be s3://"):
        open_uploads(FolderStore(str(tmp_path)))
