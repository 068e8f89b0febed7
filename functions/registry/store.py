"""The store's contract: objects by key, conditional writes, bounded reads. It knows no bucket layout.

Every store maps its own failures into `functions.errors`: ObjectNotFound, PreconditionFailed, AccessDenied,
StoreUnavailable, StoreError. Semantics are S3's (RFC 9110 preconditions, strong read-after-write).
"""

from collections.abc import Iterator
from typing import Protocol

import msgspec

from functions.errors import NotConfigured, StoreError
from functions.settings import StoreSettings

LONGEST_KEY = 1024  # bytes; source: S3 User Guide, "Naming Amazon S3 objects"


class Stat(msgspec.Struct, frozen=True):
    """One object's identity: `size` in bytes, `last_modified` UTC in ISO 8601, `version_id` if the bucket has any."""

    etag: str
    size: int
    last_modified: str
    version_id: str | None = None


class Object(msgspec.Struct, frozen=True):
    body: bytes
    etag: str


class Writer(Protocol):
    """One object being written in pieces. Nothing is visible before `commit`; nothing stays after `abort`."""

    def write(self, data: bytes) -> None: ...
    def commit(self) -> Stat:
        """Makes the object visible whole, replacing what was there."""

    def abort(self) -> None:
        """Forgets the object. Does nothing after `commit`."""


class Reader(Protocol):
    """As much of a store as it takes to load a model."""

    url: str
    """Where it lies, for messages: `s3://bucket/prefix`, `file:///folder` or `memory:`."""

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        """The whole object. Raises ObjectNotFound; NotModified where it still has the ETag `if_none_match`."""


class Store(Reader, Protocol):
    """The seam between the project and storage."""

    bucket: str
    """What an event calls it: the bucket's name; a folder's last path part."""

    prefix: str
    """What an event's keys carry before the store's own keys: empty, or ending in `/`."""

    longest_part: int
    """Bytes that a part of a key may have."""

    def stat(self, key: str) -> Stat:
        """Raises ObjectNotFound."""

    def read(self, key: str, start: int, end: int, *, etag: str) -> bytes:
        """Bytes [start, end) of the object while it still has this ETag.

        Raises PreconditionFailed once it was replaced, ObjectNotFound once it was deleted.
        """

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        """Writes the whole object at once, durably.

        create: only where there is none (`If-None-Match: *`). if_match: only over the object with this ETag.
        Raises PreconditionFailed where the condition does not hold.
        """

    def writer(self, key: str) -> Writer:
        """Starts an object of any size; memory does not grow with it."""

    def delete(self, key: str) -> None:
        """Removes the object; no error where there is none."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that starts with `prefix`, in lexical order."""


def checked(key: str) -> str:
    """The key itself. Raises StoreError for one that some store would file elsewhere, or could not hold."""
    if any(part in ("", ".", "..") for part in key.split("/")) or any(map(_unusable, key)):
        raise StoreError(f"{key!r} cannot be a key here: a part is empty, '.' or '..', or a character is a control")
    return key


def _unusable(character: str) -> bool:
    return character < " " or character == "\x7f" or "\ud800" <= character <= "\udfff"


def open_store(url: str, settings: StoreSettings | None = None) -> Store:
    """The store at `s3://bucket[/prefix]`, `file:///folder` or a plain folder path.

    Raises NotConfigured for any other scheme.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme == "s3":
        from functions.registry.s3 import S3Store

        bucket, _, prefix = rest.partition("/")
        if not bucket:
            raise NotConfigured(f"{url!r} names no bucket; write s3://bucket or s3://bucket/prefix")
        return S3Store(bucket, prefix.strip("/"), settings or StoreSettings.read())
    if separator and scheme != "file":
        raise NotConfigured(f"{url!r} is not a store; write s3://bucket[/prefix] or file:///folder")
    if separator and not rest.startswith("/"):
        raise NotConfigured(f"{url!r} names no absolute folder; write file:///folder with three slashes")
    from urllib.parse import unquote

    from functions.registry.folder import FolderStore

    return FolderStore(unquote(rest) if separator else url)
