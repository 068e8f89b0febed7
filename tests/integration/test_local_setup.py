"""`python -m local setup`: on a real MinIO, so that an object put by a client reaches batch through the webhook."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.__main__ import main
from local.notification import keys
from tests.local_room import Room, eventually, room
from tests.minio_server import QUEUE_ARN, Credentials, Minio, allow_s3, running

MODELS, DROPS = "setup-models", "setup-drops"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("room")) as found:
        yield found


@pytest.fixture(scope="module")
def server(minio_binary: Path, tmp_path_factory: pytest.TempPathFactory, opened: Room) -> Iterator[Minio]:
    """A MinIO of this module's own, whose webhook is the gateway."""
    with running(
        minio_binary, tmp_path_factory.mktemp("minio"), webhook=f"http://127.0.0.1:{opened.port}/events"
    ) as up:
        yield up


@pytest.fixture
def owner(server: Minio, monkeypatch: pytest.MonkeyPatch) -> Credentials:
    """Who may do everything in the two buckets, also make them; what is run next acts as this user."""
    statements = [statement for bucket in (MODELS, DROPS) for statement in allow_s3(bucket)["Statement"]]
    credentials = server.user({"Version": "2012-10-17", "Statement": statements})
    for name, value in server.environment(credentials).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MODEL_STORE", f"s3://{MODELS}/prefix")
    monkeypatch.setenv("DATA_STORE", f"s3://{DROPS}")
    monkeypatch.setenv("MODEL_NAME", "iris")
    return credentials


def test_setup_makes_buckets_and_notification_and_may_be_run_again(
    opened: Room, server: Minio, owner: Credentials, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert main(["setup", "--notify", QUEUE_ARN]) == 0
        told = f"buckets {MODELS} and {DROPS}; incoming/ of {DROPS} is told to {QUEUE_ARN}\n"
        assert capsys.readouterr() == (told, "")
    key = f"incoming/two words + é {secrets.token_hex(4)}.csv"
    with server.client(owner) as client:
        for bucket in (MODELS, DROPS):
            assert client.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        client.put_object(Bucket=DROPS, Key="elsewhere/not-told.csv", Body=b"a\n")
        client.put_object(Bucket=DROPS, Key=key, Body=b"a\n")
    eventually(lambda: f"{key} -> batch done" in opened.said.getvalue())
    assert "not-told" not in opened.said.getvalue()


@pytest.mark.usefixtures("owner")
def test_an_unknown_webhook_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["setup", "--notify", "arn:minio:sqs::NOBODY:webhook"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("setup: An error occurred (InvalidArgument)")
    assert told.err.count("\n") == 1


@pytest.mark.usefixtures("owner")
def test_a_server_that_is_not_there_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert main(["setup", "--wait", "0"]) == 1
    told = capsys.readouterr()
    assert told.err == 'setup: Could not connect to the endpoint URL: "http://127.0.0.1:9/setup-models"\n'


@pytest.mark.parametrize("store", ["/some/folder", "file:///some/folder", "s3://"])
def test_a_store_that_is_no_bucket_is_one_clear_line(
    store: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MODEL_STORE", store)
    monkeypatch.setenv("MODEL_NAME", "iris")
    assert main(["setup"]) == 2
    words = f"setup: {store!r} is no S3 store; setup makes buckets for s3://bucket[/prefix]\n"
    assert capsys.readouterr().err == words


def test_a_key_reads_the_same_in_minios_form_and_in_s3s() -> None:
    for written in ("incoming%2Ftwo+words.csv", "incoming/two+words.csv"):
        assert keys(b'{"Records":[{"s3":{"object":{"key":"%s"}}}]}' % written.encode()) == ["incoming/two words.csv"]
