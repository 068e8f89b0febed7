"""A store in this process's memory: for trying things out and for tests of everything above the store."""

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime

from functions.errors import NotModified, ObjectNotFound, PreconditionFailed
from functions.registry.store import LONGEST_KEY, Object, Stat, checked


class MemoryStore:
    """Objects in a dictionary, behind one lock; as strict as S3 about conditions."""

    def __init__(self, bucket: str = "memory", prefix: str = "") -> None:
        self.url = "memory:"
        self.bucket = bucket
        self.prefix = prefix
        self.longest_part = LONGEST_KEY
        self._objects: dict[str, tuple[bytes, Stat]] = {}
        self._writes = 0
        self._lock = threading.Lock()

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        body, stat = self._find(key)
        if stat.etag == if_none_match:
            raise NotModified(f"{key} is unchanged")
        return Object(body, stat.etag)

    def stat(self, key: str) -> Stat:
        return self._find(key)[1]

    def read(self, key: str, start: int, end: int, *, etag: str) -> bytes:
        body, stat = self._find(key)
        if stat.etag != etag:
            raise PreconditionFailed(f"{key} was replaced while it was read")
        return body[start:end]

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        checked(key)
        with self._lock:
            found = self._objects.get(key)
            if create and found:
                raise PreconditionFailed(f"{key} exists already")
            if if_match is not None and (found is None or found[1].etag != if_match):
                raise PreconditionFailed(f"{key} was changed by somebody else")
            self._writes += 1
            etag = hashlib.sha256(body).hexdigest()[:32]
            now = datetime.now(UTC).isoformat(timespec="microseconds")
            stat = Stat(etag, len(body), now, version_id=f"{self._writes:08d}")
            self._objects[key] = (bytes(body), stat)
            return stat

    def writer(self, key: str) -> "_MemoryWriter":
        return _MemoryWriter(self, checked(key))

    def delete(self, key: str) -> None:
        with self._lock:
            self._objects.pop(checked(key), None)

    def keys(self, prefix: str) -> Iterator[str]:
        with self._lock:
            found = sorted(key for key in self._objects if key.startswith(prefix))
        return iter(found)

    def _find(self, key: str) -> tuple[bytes, Stat]:
        with self._lock:
            found = self._objects.get(checked(key))
        if found is None:
            raise ObjectNotFound(f"{key} is not in {self.url}")
        return found


class _MemoryWriter:
    def __init__(self, store: MemoryStore, key: str) -> None:
        self._store = store
        self._key = key
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        self._pieces.append(bytes(data))

    def commit(self) -> Stat:
        return self._store.put(self._key, b"".join(self._pieces))

    def abort(self) -> None:
        self._pieces.clear()
