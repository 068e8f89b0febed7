"""Credentials asked for at an address, as SnapStart gives them: a real endpoint, real temporary keys of MinIO."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from functions.errors import NotConfigured, StoreUnavailable
from functions.registry.s3 import S3Store
from functions.settings import StoreSettings
from tests.local_room import eventually
from tests.minio_server import REGION, Credentials, Minio

TOKEN = "the one that was given"  # noqa: S105 - of this test alone


class Endpoint(ThreadingHTTPServer):
    """Gives what `given` holds to whoever shows one of `tokens`, and counts how often."""

    daemon_threads = True

    def __init__(self, given: dict[str, Any]) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.given = given
        self.tokens = {TOKEN}
        self.asked = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/credentials"


class Answer(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        self.server.asked += 1
        known = self.headers["authorization"] in self.server.tokens
        body = json.dumps(self.server.given if known else {"message": "who are you?"}).encode()
        self.send_response(200 if known else 401)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is http.server's
        """Nothing."""


@contextmanager
def listening(given: dict[str, Any]) -> Iterator[Endpoint]:
    with Endpoint(given) as endpoint:
        threading.Thread(target=endpoint.serve_forever, args=(0.05,), daemon=True).start()
        yield endpoint
        endpoint.shutdown()


@pytest.fixture(autouse=True)
def _nothing_else(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))


def store_of(minio: Minio, bucket: str) -> S3Store:
    return S3Store(bucket, "", StoreSettings(minio.endpoint, REGION))


def test_snapstarts_address_and_token_are_enough(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(minio.temporary(owner_credentials)) as endpoint:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", TOKEN)
        store = store_of(minio, bucket)
        store.put("key", b"x")
        assert (store.get("key").body, endpoint.asked) == (b"x", 1)


def test_a_token_in_a_file_is_read_whenever_it_is_needed_and_what_expires_is_asked_for_again(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    with listening(minio.temporary(owner_credentials, seconds=1)) as endpoint:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(file))
        store = store_of(minio, bucket)
        store.put("key", b"x")
        asked = endpoint.asked
        endpoint.tokens = {"another"}
        file.write_text("another")
        eventually(lambda: store.get("key").body == b"x" and endpoint.asked > asked)


def test_a_token_that_is_not_taken_is_told_without_it(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(minio.temporary(owner_credentials)) as endpoint:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.url)
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a wrong one")
        with pytest.raises(StoreUnavailable) as told:
            store_of(minio, bucket).get("key")
    assert told.value.message == (
        f"no AWS credentials for s3://{bucket}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    )


def test_keys_in_the_environment_come_first(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening({}) as endpoint:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint.url)
        for name, value in minio.environment(owner_credentials).items():
            monkeypatch.setenv(name, value)
        store_of(minio, bucket).put("key", b"x")
        assert endpoint.asked == 0


@pytest.mark.parametrize(
    "address",
    ["http://example.com/", "http://127.0.0.1.example.com/", "http://127.0.0.1@example.com/", "ftp://127.0.0.1/", "x"],
)
def test_an_address_to_which_secrets_would_go_in_the_clear_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", address)
    with pytest.raises(NotConfigured) as refused:
        S3Store("bucket", "", StoreSettings(None, REGION))
    assert refused.value.message == (
        f"AWS_CONTAINER_CREDENTIALS_FULL_URI is {address!r}; it must be https, or http on this machine"
    )
