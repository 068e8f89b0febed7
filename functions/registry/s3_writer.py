"""An object of any size on its way into a bucket. It is imported by the first that is written in pieces."""

import queue
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store as Client

from functions.registry.s3 import PART_BYTES, S3Store
from functions.registry.store import Stat

if TYPE_CHECKING:
    from obstore import PutResult


class S3Writer:
    """A multipart upload fed from this thread and sent by another; an error in either ends both."""

    def __init__(self, store: S3Store, client: Client, key: str) -> None:
        self._store = store
        self._client = client
        self._key = key
        self._pieces: queue.Queue[bytes | None] = queue.Queue(maxsize=2)
        self._error: BaseException | None = None
        self._made: PutResult | None = None
        self._size = 0
        self._aborted = False
        self._open = True
        self._thread = threading.Thread(target=self._upload, name=f"upload {key}", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        self._size += len(data)
        self._hand_over(data)

    def commit(self) -> Stat:
        self._open = False
        self._hand_over(None)
        self._thread.join()
        self._raise()
        assert self._made is not None  # noqa: S101 # the upload ended without an error
        return self._store.written(self._key, self._made, self._size)

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
            pieces = self._drain()
            self._made = obstore.put(self._client, self._key, pieces, chunk_size=PART_BYTES, max_concurrency=2)
        except BaseException as error:
            self._error = error

    def _drain(self) -> Iterator[bytes]:
        """What the uploader reads. It raises on abort, since a normal end would complete the upload."""
        while (piece := self._pieces.get()) is not None:
            yield piece
        if self._aborted:
            raise InterruptedError("the upload was given up")
