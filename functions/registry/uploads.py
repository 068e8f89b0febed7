"""The contract of uploads in numbered pieces, by several processes at once. It knows no store.

Semantics are S3's: pieces may come in any order and again, the last one of a number counts; nothing is visible before
`complete`. Source: Amazon S3 User Guide, "Uploading and copying objects using multipart upload".
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from functions.errors import NotConfigured
from functions.registry.store import Stat, Store


class Numbered(msgspec.Struct, frozen=True):
    """One piece as it arrived; `size` in bytes."""

    number: int
    etag: str
    size: int


class Uploads(Protocol):
    """Uploads into one store, by the store's keys. All of them raise StoreError."""

    least: int
    """Bytes that every piece but the last must have."""

    def create(self, key: str, mark: str) -> str:
        """Begins one; gives its id. mark: a word of ASCII letters and digits that the object will carry."""

    def put(self, key: str, upload: str, number: int, body: bytes) -> Numbered:
        """Sends a piece, durably. Raises ObjectNotFound where there is no such upload any more."""

    def complete(self, key: str, upload: str, pieces: Sequence[Numbered]) -> None:
        """Makes the object visible whole: these pieces, in order of their numbers.

        Raises ObjectNotFound where there is no such upload any more: it was completed before, or given up;
        PreconditionFailed where a piece was sent again since.
        """

    def abort(self, key: str, upload: str) -> None:
        """Forgets it and its pieces; no error where there is none."""

    def pending(self, key: str) -> list[str]:
        """The ids of all that were begun for exactly this key, and neither completed nor given up."""

    def made(self, key: str, mark: str) -> Stat | None:
        """The object that is there, if it came out of the upload with this mark; None if it came from elsewhere.

        Its ETag would not tell: what is encrypted under a key of KMS has one that says nothing of the pieces.
        Raises ObjectNotFound.
        """


def open_uploads(store: Store) -> Uploads:
    """Raises NotConfigured for a store that takes none."""
    from functions.registry.memory import MemoryStore
    from functions.registry.s3 import S3Store

    if isinstance(store, S3Store):
        from functions.registry.s3_uploads import S3Uploads

        return S3Uploads(store)
    if isinstance(store, MemoryStore):
        from functions.registry.memory_uploads import MemoryUploads

        return MemoryUploads(store)
    raise NotConfigured(f"{store.url} takes no uploads in parts; fan-out needs DATA_STORE to be s3://bucket[/prefix]")
