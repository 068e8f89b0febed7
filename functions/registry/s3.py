"""A store in an S3 bucket, through obstore; it maps every obstore error into the error tree.

Three facts of obstore shape this file: it panics on an empty endpoint, it ignores AWS profiles, and a streaming GET
of an object that is replaced meanwhile can hang, so reads are bounded ranges with `If-Match` and explicit time-outs.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError, InvalidPathError
from obstore.store import S3Store as Client

from functions.errors import NotConfigured, ObjectNotFound, StoreError
from functions.registry.credentials import credential_provider, forget_empty
from functions.registry.store import LONGEST_KEY, Object, Stat, checked
from functions.settings import StoreSettings

if TYPE_CHECKING:
    from obstore import GetOptions, ObjectMeta, PutMode, PutResult
    from obstore.store import ClientConfig, S3Config

    from functions.registry.s3_writer import S3Writer


PART_BYTES = 8 * 1024 * 1024  # fixed, so that equal content gives an equal multipart ETag
NAMES = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_")
BUCKET_LENGTHS = range(2, 256)  # what S3 ever allowed
ENDPOINT = r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?(?:/[!-~]*)?"
LAST_PORT = 65535

# An endpoint that is not there is told within ten seconds: four attempts of two, and the pauses between them.
CONNECT_TIMEOUT = timedelta(seconds=2)
RETRY_TIMEOUT = timedelta(seconds=15)
READ_TIMEOUT = timedelta(seconds=10)  # no byte for so long
READ_WHOLE_TIMEOUT = timedelta(minutes=5)
WRITE_TIMEOUT = timedelta(seconds=60)
FEW_BYTES = 128 * 1024
SLOWEST = 128 * 1024  # bytes a second that a write may be as slow as


class S3Store:
    """The objects under `prefix` of `bucket`."""

    def __init__(self, bucket: str, prefix: str, settings: StoreSettings) -> None:
        self.bucket = bucket
        self.prefix = f"{prefix}/" if prefix else ""
        self.longest_part = LONGEST_KEY
        self.url = f"s3://{bucket}/{prefix}" if prefix else f"s3://{bucket}"
        self.settings = settings
        _check(bucket, settings)
        forget_empty()
        self._region = settings.region or "us-east-1"
        self._endpoint = settings.endpoint
        self._reading = self._connect({"read_timeout": READ_TIMEOUT, "timeout": READ_WHOLE_TIMEOUT})
        self._writing: Client | None = None

    def _connect(self, timeouts: "ClientConfig") -> Client:
        config: S3Config = {"region": self._region, "virtual_hosted_style_request": False}
        if self._endpoint is not None:
            config["endpoint"] = self._endpoint
            config["aws_endpoint_url_s3"] = self._endpoint
        with self.mapped("the bucket"):
            return Client(
                self.bucket,
                prefix=self.prefix or None,
                config=config,
                client_options={
                    "allow_http": (self._endpoint or "").startswith("http://"),
                    "connect_timeout": CONNECT_TIMEOUT,
                    **timeouts,
                },
                retry_config={"max_retries": 3, "retry_timeout": RETRY_TIMEOUT},
                credential_provider=credential_provider(),
            )

    def _client_for(self, size: int) -> Client:
        """The client that writes `size` bytes at once. A read time-out runs while they go up, so only few have it."""
        if size <= FEW_BYTES:
            return self._reading
        if size > PART_BYTES:
            return self._connect(_for_writing(size))
        if self._writing is None:
            self._writing = self._connect(_for_writing(PART_BYTES))
        return self._writing

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        options: GetOptions | None = {"if_none_match": if_none_match} if if_none_match else None
        with self.mapped(key):
            found = obstore.get(self._reading, checked(key), options=options)
            return Object(bytes(found.bytes()), _etag(found.meta))

    def stat(self, key: str) -> Stat:
        with self.mapped(key):
            meta = obstore.head(self._reading, checked(key))
            modified = meta["last_modified"].isoformat(timespec="microseconds")
            return Stat(_etag(meta), meta["size"], modified, meta["version"])

    def read(self, key: str, start: int, end: int, *, etag: str) -> bytes:
        if end <= start:
            return b""
        with self.mapped(key):
            try:
                found = obstore.get(self._reading, checked(key), options={"range": (start, end), "if_match": etag})
            except BaseError as error:
                if "<Code>InvalidRange</Code>" in str(error):  # the object, unchanged, ends before `start`
                    return b""
                raise
            return bytes(found.bytes())

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        mode: PutMode = "create" if create else "overwrite" if if_match is None else {"e_tag": if_match}
        with self.mapped(key):
            made = obstore.put(self._client_for(len(body)), checked(key), body, mode=mode, use_multipart=False)
        return self.written(key, made, len(body))

    def written(self, key: str, made: "PutResult", size: int) -> Stat:
        """What was written, though somebody else may have replaced it since."""
        etag = made["e_tag"]
        now = self.stat(key)
        return now if etag in (None, now.etag) else Stat(etag, size, now.last_modified, made["version"])

    def writer(self, key: str) -> "S3Writer":
        from functions.registry.s3_writer import S3Writer

        return S3Writer(self, self._client_for(PART_BYTES), checked(key))

    def delete(self, key: str) -> None:
        try:
            with self.mapped(key):
                obstore.delete(self._reading, checked(key))
        except ObjectNotFound:
            return

    def keys(self, prefix: str) -> Iterator[str]:
        folder, _, start = prefix.rpartition("/")
        # S3 lists in lexical order, so what lies before the prefix is skipped and what lies behind it not asked for.
        offset = prefix[:-1] if start else None
        with self.mapped(prefix):
            batches = obstore.list(self._reading, folder or None, offset=offset)
            paths = (meta["path"] for batch in batches for meta in batch)
            found = list(takewhile(lambda path: path.startswith(prefix) or path < prefix, paths))
        return iter(sorted(path for path in found if path.startswith(prefix)))

    @contextmanager
    def mapped(self, key: str) -> Iterator[None]:
        """Maps obstore's errors into the error tree."""
        try:
            yield
        except InvalidPathError:
            raise StoreError(f"{key!r} is or lies beside a key that cannot be used here; rename the object") from None
        except (FileNotFoundError, BaseError) as error:
            from functions.registry.s3_errors import told

            raise told(error, key, self.bucket, self.url) from error
        except BaseException as error:
            if type(error).__name__ != "PanicException":
                raise
            raise StoreError(f"{self.url}: the S3 client failed inside: {key}") from error


def _check(bucket: str, settings: StoreSettings) -> None:
    """What is no name here panics in obstore. Raises NotConfigured."""
    if len(bucket) not in BUCKET_LENGTHS or not NAMES.issuperset(bucket) or bucket[0] in ".-_":
        raise NotConfigured(
            f"{bucket!r} is no bucket's name; use 2 to 255 letters, digits, dots, dashes and underscores"
        )
    if settings.region is not None and not NAMES.issuperset(settings.region):
        raise NotConfigured(f"AWS_REGION is {settings.region!r}; write it as us-east-1")
    if settings.endpoint is not None:
        found = re.fullmatch(ENDPOINT, settings.endpoint)
        if found is None or int(found[1] or 0) > LAST_PORT:
            raise NotConfigured(
                f"AWS_ENDPOINT_URL is {settings.endpoint!r}; write it as http://host:port or https://host"
            )


def _for_writing(size: int) -> "ClientConfig":
    return {"timeout": WRITE_TIMEOUT + timedelta(seconds=size / SLOWEST)}


def _etag(meta: "ObjectMeta") -> str:
    etag = meta["e_tag"]
    if etag is None:
        raise StoreError("the store gave no ETag; it cannot be used")
    return etag
