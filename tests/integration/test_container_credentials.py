"""Credentials asked for at an address, as SnapStart gives them: a real endpoint, real temporary keys of MinIO."""

from pathlib import Path

import pytest

from functions.errors import NotConfigured, StoreUnavailable
from functions.registry.s3 import S3Store
from functions.settings import StoreSettings
from tests.credentials_endpoint import TOKEN, listening
from tests.local_room import eventually
from tests.minio_server import REGION, Credentials, Minio


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
