"""Uploads in numbered pieces into a store in memory, as strict as S3."""

import hashlib
import threading
import uuid
from collections.abc import Sequence

from functions.errors import ObjectNotFound, PreconditionFailed, StoreError
from functions.registry.memory import MemoryStore
from functions.registry.store import Stat
from functions.registry.uploads import Numbered

MOST = 10_000


class MemoryUploads:
    """`least`: bytes of the smallest piece."""

    def __init__(self, store: MemoryStore, least: int = 5 * 1024 * 1024) -> None:
        self.least = least
        self._store = store
        self._open: dict[tuple[str, str], dict[int, bytes]] = {}
        self._marks: dict[str, str] = {}
        self._made: dict[str, Stat] = {}
        self._lock = threading.Lock()

    def create(self, key: str, mark: str) -> str:
        upload = uuid.uuid4().hex
        with self._lock:
            self._open[key, upload] = {}
            self._marks[upload] = mark
        return upload

    def put(self, key: str, upload: str, number: int, body: bytes) -> Numbered:
        if not 1 <= number <= MOST:
            raise StoreError(f"{number} is no number of a piece; they go from 1 to {MOST}")
        with self._lock:
            self._found(key, upload)[number] = bytes(body)
        return _numbered(number, body)

    def complete(self, key: str, upload: str, pieces: Sequence[Numbered]) -> None:
        with self._lock:
            held = self._found(key, upload)
            numbers = [piece.number for piece in pieces]
            if not pieces or numbers != sorted(set(numbers)):
                raise StoreError(f"the pieces of {key} are not in order")
            for piece in pieces:
                if piece.number not in held or _numbered(piece.number, held[piece.number]).etag != piece.etag:
                    raise PreconditionFailed(f"piece {piece.number} of {key} was sent again meanwhile")
            bodies = [held[number] for number in numbers]
            if any(len(body) < self.least for body in bodies[:-1]):
                raise StoreError(f"a piece of {key} is under {self.least} bytes")
            del self._open[key, upload]
            self._made[self._marks[upload]] = self._store.put(key, b"".join(bodies))

    def abort(self, key: str, upload: str) -> None:
        with self._lock:
            self._open.pop((key, upload), None)

    def pending(self, key: str) -> list[str]:
        with self._lock:
            return [upload for name, upload in self._open if name == key]

    def made(self, key: str, mark: str) -> Stat | None:
        stat = self._store.stat(key)
        return stat if self._made.get(mark) == stat else None

    def _found(self, key: str, upload: str) -> dict[int, bytes]:
        held = self._open.get((key, upload))
        if held is None:
            raise ObjectNotFound(f"there is no upload {upload} of {key} any more")
        return held


def _numbered(number: int, body: bytes) -> Numbered:
    return Numbered(number, hashlib.md5(body, usedforsecurity=False).hexdigest(), len(body))
