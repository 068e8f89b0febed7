"""Where the command line reads from and writes to: paths, standard input and output, objects. It scores nothing.

An output appears whole or not at all, except on standard output.
"""

import contextlib
import io
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from functions.errors import ObjectNotFound, PreconditionFailed, StoreUnavailable
from functions.registry.store import Stat, Store, Writer, open_store

CHUNK = 4 * 1024 * 1024
STANDARD = "-"


class Mistake(Exception):
    """The user's to mend: arguments, or a file that is not as it was said to be."""


def chunks_of(source: str, standard_input: BinaryIO) -> Iterator[bytes]:
    """The bytes of a path, of `s3://bucket/key` or of standard input (`-`).

    Raises Mistake where there is none, at once; StoreError and OSError while it is read.
    """
    if source == STANDARD:
        return iter(lambda: standard_input.read(CHUNK), b"")
    if source.startswith("s3://"):
        store, key = _object(source)
        try:
            stat = store.stat(key)
        except ObjectNotFound:
            raise Mistake(f"there is no object {source}") from None
        return _ranges(store, key, stat, source)
    try:
        file = Path(source).open("rb")  # noqa: SIM115 # closed at the end of its chunks
    except FileNotFoundError:
        raise Mistake(f"there is no file {source}") from None
    except IsADirectoryError:
        raise Mistake(f"{source} is a folder; name a CSV file") from None
    return _read(file)


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def _ranges(store: Store, key: str, stat: Stat, source: str) -> Iterator[bytes]:
    for start in range(0, stat.size, CHUNK):
        try:
            yield store.read(key, start, min(start + CHUNK, stat.size), etag=stat.etag)
        except (PreconditionFailed, ObjectNotFound):
            raise StoreUnavailable(f"{source} was replaced or deleted while it was read; run it again") from None


class Target(Protocol):
    """An output that can be begun, or removed where there is nothing to write."""

    def begin(self) -> Writer: ...
    def remove(self) -> None: ...


def target_of(target: str, standard_output: BinaryIO) -> Target:
    """A path, `s3://bucket/key` or standard output (`-`). Raises Mistake for a path in no folder."""
    if target == STANDARD:
        return StreamTarget(standard_output)
    if target.startswith("s3://"):
        return ObjectTarget(*_object(target))
    path = Path(target)
    if path.is_dir():
        raise Mistake(f"{target} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise Mistake(f"there is no folder {path.parent} for {target}; make it first")
    if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing can be renamed over it
        return StreamTarget(path.open("wb"))
    return PathTarget(path)


class StreamTarget:
    """Bytes go out as they come; there is nothing to take back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def begin(self) -> Writer:
        return _StreamWriter(self._stream)

    def remove(self) -> None:
        """Nothing was written, so there is nothing to remove."""


class ObjectTarget:
    def __init__(self, store: Store, key: str) -> None:
        self._store = store
        self._key = key

    def begin(self) -> Writer:
        return self._store.writer(self._key)

    def remove(self) -> None:
        with contextlib.suppress(ObjectNotFound):
            self._store.stat(self._key)
            self._store.delete(self._key)


class PathTarget:
    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self) -> Writer:
        return _PathWriter(self._path)

    def remove(self) -> None:
        self._path.unlink(missing_ok=True)


class _PathWriter:
    """A file under a temporary name beside its own, renamed when it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
        self._file = self._part.open("xb")
        self._size = 0

    def write(self, data: bytes) -> None:
        self._size += self._file.write(data)

    def commit(self) -> Stat:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.rename(self._path)
        return Stat("", self._size, "")

    def abort(self) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)


class _StreamWriter:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._size = 0

    def write(self, data: bytes) -> None:
        self._size += len(data)
        self._stream.write(data)

    def commit(self) -> Stat:
        self._stream.flush()
        return Stat("", self._size, "")

    def abort(self) -> None:
        """What went out is out."""


class NoTarget:
    """Nobody said where this should go: it is counted by its caller, and not kept."""

    def begin(self) -> Writer:
        return _StreamWriter(io.BytesIO())

    def remove(self) -> None:
        """There is nothing to remove."""


def _object(url: str) -> tuple[Store, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not bucket or not key or key.endswith("/"):
        raise Mistake(f"{url} names no object; write s3://bucket/key")
    return open_store(f"s3://{bucket}"), key
