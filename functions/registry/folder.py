"""A store in a folder, with S3's guarantees: whole objects or none, conditional writes; no network.

Writes go to a temporary name, are synced, then renamed; conditions hold under one `flock`, which the kernel
releases with its process, so a killed writer leaves nothing locked. Reading needs no lock and no write access,
so a folder baked into an image can be served.
"""

import fcntl
import os
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from functions.errors import (
    AccessDenied,
    NotModified,
    ObjectNotFound,
    PreconditionFailed,
    StoreError,
    StoreUnavailable,
)
from functions.registry.store import Object, Stat, checked
from functions.whole_file import sync_folder

WORKSHOP = ".store"  # holds the lock and unfinished objects; no key can name it
LONGEST_NAME = 255  # bytes; NAME_MAX of Linux's and macOS's file systems


class FolderStore:
    """The folder at `path`; it is made by the first write."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._root = Path(path).expanduser().resolve()
        self.url = self._root.as_uri()
        self.bucket = self._root.name
        self.prefix = ""
        self.longest_part = LONGEST_NAME

    def get(self, key: str, *, if_none_match: str | None = None) -> Object:
        with self.mapped(key), _opened(self.path(key)) as file:
            etag = _stat(file.fileno()).etag
            if etag == if_none_match:
                raise NotModified(f"{key} is unchanged")
            return Object(file.read(), etag)

    def stat(self, key: str) -> Stat:
        with self.mapped(key), _opened(self.path(key)) as file:
            return _stat(file.fileno())

    def read(self, key: str, start: int, end: int, *, etag: str) -> bytes:
        with self.mapped(key), _opened(self.path(key)) as file:
            if _stat(file.fileno()).etag != etag:
                raise PreconditionFailed(f"{key} was replaced while it was read")
            return os.pread(file.fileno(), max(0, end - start), start)

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        writer = FolderWriter(self, key)
        try:
            writer.write(body)
            return writer.commit(create=create, if_match=if_match)
        finally:
            writer.abort()

    def writer(self, key: str) -> "FolderWriter":
        return FolderWriter(self, key)

    def delete(self, key: str) -> None:
        path = self.path(key)
        if not path.is_file():  # so that a store that is not there is not made by a delete
            return
        with self.mapped(key, writing=True), self.locked(), suppress(FileNotFoundError):
            path.unlink()
            sync_folder(path.parent)

    def keys(self, prefix: str) -> Iterator[str]:
        found = []
        for folder, folders, files in os.walk(self._root):
            within = Path(folder).relative_to(self._root)
            folders[:] = [name for name in folders if (within / name).as_posix() != WORKSHOP]
            found += [(within / name).as_posix() for name in files]
        return iter(sorted(key for key in found if key.startswith(prefix)))

    @contextmanager
    def locked(self) -> Iterator[Path]:
        """Holds the store's one lock, across processes and threads; gives the folder of unfinished objects."""
        workshop = self._root / WORKSHOP
        workshop.mkdir(parents=True, exist_ok=True)
        with (workshop / "lock").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield workshop

    def path(self, key: str) -> Path:
        """Where the object lies. Raises StoreError for a key that would leave the folder."""
        parts = checked(key).split("/")
        if parts[0] == WORKSHOP:
            raise StoreError(f"{key!r} cannot be a key of a folder store")
        return self._root.joinpath(*parts)

    @contextmanager
    def mapped(self, key: str, *, writing: bool = False) -> Iterator[None]:
        """Maps the operating system's errors into the error tree; a name that is not there matters to readers only."""
        try:
            yield
        except PermissionError:
            raise AccessDenied(f"no permission to {'write' if writing else 'read'} {key} in {self.url}") from None
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, FileExistsError) as error:
            if writing:
                raise StoreUnavailable(f"{self.url}: {key} cannot be written: {error.strerror}") from None
            raise ObjectNotFound(f"{key} is not in {self.url}") from None
        except OSError as error:
            raise StoreUnavailable(f"{self.url}: {error.strerror}: {key}") from error


class FolderWriter:
    """A file under a temporary name, locked while it lives so that others can tell it from a dead writer's."""

    def __init__(self, store: FolderStore, key: str) -> None:
        self._store = store
        self._key = key
        self._target = store.path(key)
        with (
            store.mapped(key, writing=True),
            store.locked() as workshop,
        ):  # so that no sweep sees the part before its lock
            _sweep(workshop)
            self._path = workshop / f"{uuid.uuid4().hex}.part"
            self._file = self._path.open("xb")
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, data: bytes) -> None:
        with self._store.mapped(self._key, writing=True):
            self._file.write(data)

    def commit(self, *, create: bool = False, if_match: str | None = None) -> Stat:
        with self._store.mapped(self._key, writing=True):
            self._file.flush()
            os.fsync(self._file.fileno())
            with self._store.locked():
                self._check(create, if_match)
                now = time.time_ns()  # the kernel's own stamp may be the same for two writes a few milliseconds apart
                os.utime(self._file.fileno(), ns=(now, now))
                self._target.parent.mkdir(parents=True, exist_ok=True)
                self._path.rename(self._target)
                sync_folder(self._target.parent)
            stat = _stat(self._file.fileno())
            self._file.close()
            return stat

    def abort(self) -> None:
        self._path.unlink(missing_ok=True)
        self._file.close()

    def _check(self, create: bool, if_match: str | None) -> None:
        try:
            with _opened(self._target) as file:
                found = _stat(file.fileno()).etag
        except FileNotFoundError:
            found = None
        if create and found is not None:
            raise PreconditionFailed(f"{self._key} exists already")
        if if_match is not None and found != if_match:
            raise PreconditionFailed(f"{self._key} was changed by somebody else")


def _opened(path: Path) -> BinaryIO:
    """The file; whatever else has the name (a folder, a pipe, which would wait for a writer) is no object."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileNotFoundError
    return os.fdopen(descriptor, "rb")


def _stat(descriptor: int) -> Stat:
    """A folder's ETag is the file's identity (inode, size, time): any change of the content changes it, unread."""
    info = os.fstat(descriptor)
    modified = datetime.fromtimestamp(info.st_mtime_ns / 1e9, UTC).isoformat(timespec="microseconds")
    return Stat(f"{info.st_ino:x}-{info.st_size:x}-{info.st_mtime_ns:x}", info.st_size, modified)


def _sweep(workshop: Path) -> None:
    """Removes what killed writers left: a part nobody holds a lock on."""
    for part in workshop.glob("*.part"):
        with suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink(missing_ok=True)
