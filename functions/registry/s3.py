"""A store in an S3 bucket, through obstore; it maps every obstore error into the error tree.

Three facts of obstore shape this file: it panics on an empty endpoint, it ignores AWS profiles, and a streaming GET
of an object that is replaced meanwhile can hang, so reads are bounded ranges with `If-Match` and explicit time-outs.
"""

import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotModifiedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import S3Store as Client

from functions.errors import (
    AccessDenied,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
)
from functions.registry.credentials import credential_provider
from functions.registry.store import Object, Stat
from functions.settings import StoreSettings

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Config

PART_BYTES = 8 * 1024 * 1024  # fixed, so that equal content gives an equal multipart ETag


class S3Store:
    """The objects under `prefix` of `bucket`."""

    def __init__(self, bucket: str, prefix: str, settings: StoreSettings) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.url = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        region = settings.region or "us-east-1"
        endpoint = settings.endpoint
        if endpoint is None and any("AWS_ENDPOINT_URL" in name for name in os.environ):
            endpoint = f"https://s3.{region}.amazonaws.com"  # an empty variable would panic inside obstore
        config: S3Config = {"region": region, "virtual_hosted_style_request": False}
        if endpoint is not None:
            config["endpoint"] = endpoint
            config["aws_endpoint_url_s3"] = endpoint
        self._client = Client(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options={
                "allow_http": (endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=3),
                "timeout": timedelta(seconds=60),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
            credential_provider=credential_provider(),
        )

    def get(self, key: str) -> Object:
        with self.mapped(key):
            found = obstore.get(self._client, key)
            return Object(bytes(found.bytes()), _etag(found.meta))

    def stat(self, key: str) -> Stat:
        with self.mapped(key):
            meta = obstore.head(self._client, key)
            modified = meta["last_modified"].isoformat(timespec="microseconds")
            return Stat(_etag(meta), meta["size"], modified, meta["version"])

    def read(self, key: str, start: int, end: int, *, etag: str) -> bytes:
        if end <= start:
            return b""
        with self.mapped(key):
            found = obstore.get(self._client, key, options={"range": (start, end), "if_match": etag})
            return bytes(found.bytes())

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        with self.mapped(key):
            if if_match is not None:
                obstore.put(self._client, key, body, mode={"e_tag": if_match}, use_multipart=False)
            else:
                obstore.put(self._client, key, body, mode="create" if create else "overwrite", use_multipart=False)
        return self.stat(key)

    def writer(self, key: str) -> "S3Writer":
        return S3Writer(self, self._client, key)

    def delete(self, key: str) -> None:
        try:
            with self.mapped(key):
                obstore.delete(self._client, key)
        except ObjectNotFound:
            return

    def keys(self, prefix: str) -> Iterator[str]:
        folder = prefix.rpartition("/")[0]
        with self.mapped(prefix):
            found = [meta["path"] for batch in obstore.list(self._client, folder or None) for meta in batch]
        return iter(sorted(key for key in found if key.startswith(prefix)))

    @contextmanager
    def mapped(self, key: str) -> Iterator[None]:
        """Maps obstore's errors into the error tree."""
        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise StoreUnavailable(f"there is no bucket {self.bucket!r}; create it or name another") from None
            raise ObjectNotFound(f"{key} is not in {self.url}") from None
        except AlreadyExistsError:
            raise PreconditionFailed(f"{key} exists already") from None
        except (PreconditionError, NotModifiedError):
            raise PreconditionFailed(f"{key} was changed by somebody else") from None
        except (PermissionDeniedError, UnauthenticatedError) as error:
            raise AccessDenied(f"the credentials in use may not do this with {key} in {self.url}") from error
        except BaseError as error:
            raise self._unavailable(key, error) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise StoreError(f"{self.url}: the S3 client failed inside: {key}") from error

    def _unavailable(self, key: str, error: BaseError) -> StoreError:
        text = str(error)
        if "NoSuchBucket" in text:
            return StoreUnavailable(f"there is no bucket {self.bucket!r}; create it or name another")
        if "169.254.169.254" in text or "credential" in text.lower():
            return StoreUnavailable(
                f"no AWS credentials for {self.url}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
            )
        if "error sending request" in text or "connect" in text.lower():
            return StoreUnavailable(f"{self.url} cannot be reached; check AWS_ENDPOINT_URL, the region and the network")
        return StoreUnavailable(f"{self.url} did not do this with {key}: {text.splitlines()[0]}")


class S3Writer:
    """A multipart upload fed from this thread and sent by another; an error in either ends both."""

    def __init__(self, store: S3Store, client: Client, key: str) -> None:
        self._store = store
        self._client = client
        self._key = key
        self._pieces: queue.Queue[bytes | None] = queue.Queue(maxsize=2)
        self._error: BaseException | None = None
        self._aborted = False
        self._open = True
        self._thread = threading.Thread(target=self._upload, name=f"upload {key}", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._hand_over(data)

    def commit(self) -> Stat:
        self._open = False
        self._hand_over(None)
        self._thread.join()
        self._raise()
        return self._store.stat(self._key)

    def abort(self) -> None:
        if self._open:
            self._open = False
            self._aborted = True
            self._hand_over(None)
            self._thread.join()

    def _hand_over(self, data: bytes | None) -> None:
        while self._thread.is_alive():
            try:
                return self._pieces.put(data, timeout=0.2)
            except queue.Full:
                continue
        if data is not None:
            self._raise()
        return None

    def _raise(self) -> None:
        if self._error is not None:
            with self._store.mapped(self._key):
                raise self._error

    def _upload(self) -> None:
        try:
            obstore.put(self._client, self._key, self._drain(), chunk_size=PART_BYTES, max_concurrency=2)
        except BaseException as error:
            self._error = error

    def _drain(self) -> Iterator[bytes]:
        """What the uploader reads. It raises on abort, since a normal end would complete the upload."""
        while (piece := self._pieces.get()) is not None:
            yield piece
        if self._aborted:
            raise InterruptedError("the upload was given up")


def _etag(meta: "ObjectMeta") -> str:
    etag = meta["e_tag"]
    if etag is None:
        raise StoreError("the store gave no ETag; it cannot be used")
    return etag
