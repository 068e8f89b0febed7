"""What only a bucket can do wrong, on a real S3 server: uploads left hanging, no bucket, wrong or no credentials."""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.errors import AccessDenied, NotConfigured, ServingError, StoreUnavailable
from functions.registry.s3 import S3Store
from functions.registry.store import Store, open_store
from functions.settings import StoreSettings
from tests.minio_server import Credentials, Minio

MIB = 1024 * 1024


@pytest.fixture
def store(minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch) -> Store:
    act_as(monkeypatch, minio.environment(owner_credentials))
    return open_store(f"s3://{bucket}/pre")


@pytest.fixture
def no_metadata_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials in the environment, in a file, or from the machine."""
    act_as(monkeypatch, {})
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "no such file")
    monkeypatch.setenv("AWS_CONFIG_FILE", "no such file")


def act_as(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def refusal(act: Callable[[], object]) -> tuple[type[ServingError], str]:
    with pytest.raises(ServingError) as raised:
        act()
    return type(raised.value), raised.value.message


def refusals(store: Store) -> set[tuple[type[ServingError], str]]:
    """What every verb that says its reason answers; HEAD has no body, so `stat` cannot tell as much."""

    def write() -> None:
        writer = store.writer("key")
        writer.write(b"x" * 9 * MIB)
        writer.commit()

    return {
        refusal(act)
        for act in (
            lambda: store.get("key"),
            lambda: store.put("key", b"x"),
            lambda: store.put("key", b"x", create=True),
            lambda: store.put("key", b"x", if_match='"never"'),
            lambda: store.read("key", 0, 1, etag='"any"'),
            lambda: list(store.keys("key")),
            lambda: store.delete("key"),
            write,
        )
    }


def wrong(bucket: str, code: str) -> str:
    return f"s3://{bucket} does not take these credentials ({code}); check the AWS_* variables and the clock"


def left_behind(minio: Minio, bucket: str) -> dict[str, list[str]]:
    with minio.client(minio.root) as root:
        uploads: list[dict[str, Any]] = root.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
        objects: list[dict[str, Any]] = root.list_objects_v2(Bucket=bucket).get("Contents", [])
    return {"uploads": [one["Key"] for one in uploads], "objects": [one["Key"] for one in objects]}


@pytest.mark.parametrize("size", [0, MIB, 20 * MIB])
def test_an_upload_given_up_leaves_no_object_and_no_hanging_parts(
    minio: Minio, bucket: str, store: Store, size: int
) -> None:
    writer = store.writer("big")
    for start in range(0, size, MIB):
        writer.write(b"x" * min(MIB, size - start))
    writer.abort()
    assert left_behind(minio, bucket) == {"uploads": [], "objects": []}


def test_an_upload_that_failed_leaves_no_hanging_parts(
    minio: Minio, bucket: str, as_role: Callable[..., Credentials], monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = {"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": [f"arn:aws:s3:::{bucket}/*"]}
    act_as(monkeypatch, minio.environment(as_role({"Version": "2012-10-17", "Statement": [allowed]})))
    store = open_store(f"s3://{bucket}")
    writer = store.writer("big")

    def write_on() -> None:
        for _ in range(50):
            writer.write(b"x" * MIB)

    expected = (AccessDenied, f"the credentials in use may not do this with big in s3://{bucket}")
    assert refusal(write_on) == expected
    writer.abort()
    assert left_behind(minio, bucket) == {"uploads": [], "objects": []}


def test_keys_lie_under_the_prefix(minio: Minio, bucket: str, store: Store) -> None:
    store.put("a b/ü+%2F.csv", b"x")
    assert left_behind(minio, bucket) == {"uploads": [], "objects": ["pre/a b/ü+%2F.csv"]}


def test_versions_of_a_versioned_bucket_are_told(
    minio: Minio, model_bucket: str, trainer_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(monkeypatch, minio.environment(trainer_credentials))
    store = open_store(f"s3://{model_bucket}")
    made = [store.put("key", body) for body in (b"same", b"same")]
    assert made[0].etag == made[1].etag
    with minio.client(minio.root) as root:
        versions = root.list_object_versions(Bucket=model_bucket)["Versions"]
    assert {stat.version_id for stat in made} == {version["VersionId"] for version in versions}
    assert store.stat("key") == made[1]


def test_a_missing_bucket_is_named(minio: Minio, monkeypatch: pytest.MonkeyPatch) -> None:
    act_as(monkeypatch, minio.environment(minio.root))  # to others MinIO says nothing of buckets that are not theirs
    message = "there is no bucket 'no-such-bucket'; create it or name another"
    assert refusals(open_store("s3://no-such-bucket/pre")) == {(StoreUnavailable, message)}


def test_somebody_elses_bucket_is_denied(
    minio: Minio, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(monkeypatch, minio.environment(owner_credentials))
    minio.bucket("somebody-elses")
    message = "the credentials in use may not do this with key in s3://somebody-elses"
    assert refusals(open_store("s3://somebody-elses")) == {(AccessDenied, message)}


def test_the_words_of_a_key_are_not_taken_for_the_reason(
    minio: Minio, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(monkeypatch, minio.environment(owner_credentials))
    minio.bucket("connect-four-credentials")
    store = open_store("s3://connect-four-credentials")
    message = "the credentials in use may not do this with connect in s3://connect-four-credentials"
    assert refusal(lambda: store.stat("connect")) == (AccessDenied, message)  # HEAD: a status and no reason


def test_a_wrong_secret_is_said_to_be_wrong(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(monkeypatch, minio.environment(Credentials(owner_credentials.access_key, "not the secret")))
    store = open_store(f"s3://{bucket}")
    message = wrong(bucket, "SignatureDoesNotMatch")
    assert refusals(store) == {(AccessDenied, message)}


def test_an_unknown_access_key_is_said_to_be_wrong(minio: Minio, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    act_as(monkeypatch, minio.environment(Credentials("nobody", "nothing")))
    message = wrong(bucket, "InvalidAccessKeyId")
    assert refusals(open_store(f"s3://{bucket}")) == {(AccessDenied, message)}


@pytest.mark.usefixtures("no_metadata_service")
def test_no_credentials_are_said_to_be_missing(minio: Minio, bucket: str) -> None:
    store = S3Store(bucket, "", StoreSettings(minio.endpoint, "us-east-1"))
    message = f"no AWS credentials for s3://{bucket}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    assert refusals(store) == {(StoreUnavailable, message)}


@pytest.mark.usefixtures("no_metadata_service")
def test_empty_credentials_count_as_missing(minio: Minio, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.setenv(name, "")
    store = S3Store(bucket, "", StoreSettings(minio.endpoint, "us-east-1"))
    message = f"no AWS credentials for s3://{bucket}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
    assert refusals(store) == {(StoreUnavailable, message)}


def test_an_empty_session_token_is_none(
    minio: Minio, bucket: str, owner_credentials: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(monkeypatch, minio.environment(owner_credentials))
    monkeypatch.setenv("AWS_SESSION_TOKEN", "")
    store = open_store(f"s3://{bucket}")
    store.put("key", b"x")
    assert store.get("key").body == b"x"


@pytest.mark.parametrize("given", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
@pytest.mark.usefixtures("no_metadata_service")
def test_half_of_the_credentials_is_said_to_be_missing(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(given, "any")
    message = "half of the AWS credentials for s3://bucket is missing; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    assert refusal(lambda: open_store("s3://bucket").get("key")) == (StoreUnavailable, message)


def test_credentials_come_from_a_profile_where_one_is_named(
    minio: Minio,
    bucket: str,
    owner_credentials: Credentials,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    act_as(monkeypatch, {})
    profiles = tmp_path_factory.mktemp("aws") / "credentials"
    profiles.write_text(
        f"[trainer]\naws_access_key_id = {owner_credentials.access_key}\n"
        f"aws_secret_access_key = {owner_credentials.secret_key}\n"
    )
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(profiles))
    monkeypatch.setenv("AWS_PROFILE", "trainer")
    store = S3Store(bucket, "", StoreSettings(minio.endpoint, "us-east-1"))
    store.put("key", b"x")
    assert store.get("key").body == b"x"


def test_an_endpoint_where_nobody_listens_is_said_to_be_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take the port meanwhile
        endpoint = f"http://127.0.0.1:{unused.getsockname()[1]}"
        act_as(monkeypatch, {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_ENDPOINT_URL": endpoint})
        store = open_store("s3://bucket/pre")
        expected = "s3://bucket/pre cannot be reached; check AWS_ENDPOINT_URL, the region and the network"
        assert refusal(lambda: store.get("key")) == (StoreUnavailable, expected)
        assert refusal(lambda: store.put("key", b"x")) == (StoreUnavailable, expected)


@pytest.mark.parametrize(
    "endpoint",
    ["localhost:9000", "minio", "ftp://host", "http://", "http://a b", "  ", "http://[::1", "http://host:99999",
     "http://host:x", "http://user@host", "http://host/a b"],
)  # fmt: skip
def test_an_endpoint_that_is_no_url_is_refused_before_it_is_used(
    endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    act_as(monkeypatch, {"AWS_ENDPOINT_URL": endpoint})
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    message = f"AWS_ENDPOINT_URL is {endpoint!r}; write it as http://host:port or https://host"
    assert refusal(lambda: open_store("s3://bucket")) == (NotConfigured, message)


@pytest.mark.parametrize("bucket", ["My Bucket", "b", "-b", "a" * 256, "büro", "b?", "b#c", ".."])
def test_a_bucket_that_cannot_be_one_is_refused_before_it_is_used(bucket: str) -> None:
    message = f"{bucket!r} is no bucket's name; use 2 to 255 letters, digits, dots, dashes and underscores"
    assert refusal(lambda: open_store(f"s3://{bucket}")) == (NotConfigured, message)


def test_a_region_that_cannot_be_one_is_refused_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    act_as(monkeypatch, {"AWS_REGION": "a b"})
    message = "AWS_REGION is 'a b'; write it as us-east-1"
    assert refusal(lambda: open_store("s3://bucket")) == (NotConfigured, message)


ODD = st.text(max_size=12) | st.from_regex(r"(s3|https?)://[!-~]{1,20}", fullmatch=True)


@given(ODD, st.none() | ODD, st.none() | ODD)
@settings(deadline=None)
def test_no_setting_whatever_gets_past_a_clear_refusal(url: str, endpoint: str | None, region: str | None) -> None:
    """A panic of the client's is no Exception and would end the function."""
    with suppress(NotConfigured):
        open_store("s3://" + url, StoreSettings(endpoint or None, region or None))


class NotS3(BaseHTTPRequestHandler):
    """Any web server that is not S3, at the address somebody took for one."""

    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_: object) -> None:
        return


def test_a_server_that_is_not_s3_is_told_from_an_object_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), NotS3) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        act_as(monkeypatch, {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
        try:
            message = "what answers for s3://bucket is not S3; check AWS_ENDPOINT_URL"
            assert refusal(lambda: open_store("s3://bucket").get("key")) == (StoreUnavailable, message)
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("profile", "reason"),
    [
        (
            "aws_access_key_id = a",
            "Partial credentials found in shared-credentials-file, missing: aws_secret_access_key",
        ),
        ("role_arn = arn", "Partial credentials found in assume-role, missing: source_profile or credential_source"),
        (
            "source_profile = nobody\nrole_arn = arn",
            'The source_profile "nobody" referenced in the profile "odd" does not exist.',
        ),
    ],
)
def test_a_profile_that_cannot_be_used_is_said_to_be(
    profile: str, reason: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    act_as(monkeypatch, {"AWS_PROFILE": "odd", "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials")})
    (tmp_path / "credentials").write_text(f"[odd]\n{profile}\n")
    message = f"the AWS configuration cannot be used: {reason}"
    assert refusal(lambda: open_store("s3://bucket")) == (NotConfigured, message)


def test_an_empty_endpoint_variable_counts_as_unset_and_does_not_panic() -> None:
    """In a process of its own, since a panic inside the client would write to its standard error."""
    program = (
        "from functions.registry.store import open_store\n"
        "from functions.errors import StoreError\n"
        "try:\n    open_store('s3://bucket').get('key')\n"
        "except StoreError as error:\n    print(error.code)\n"
    )
    environment = {
        "AWS_ENDPOINT_URL": "",
        "AWS_ENDPOINT_URL_S3": "",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_REGION": "us-east-1",
        "HTTPS_PROXY": "http://127.0.0.1:1",  # so that nothing leaves the machine
    }
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "store_unavailable\n", "")
