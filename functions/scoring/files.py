"""Where the command line reads from and writes to: paths, standard input and output, objects. It scores nothing.

An output appears whole or not at all, except where it goes out as it comes: standard output, a descriptor that is open
already (`/dev/stderr`, `/dev/fd/N`, a shell's `>(command)`), a named pipe, a device.
"""

import contextlib
import fcntl
import os
import stat as modes
from collections.abc import Callable, Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol, TextIO

from functions.errors import ObjectNotFound, PreconditionFailed, StoreUnavailable
from functions.registry.store import Stat, Store, Writer, open_store
from functions.whole_file import WholeFile

CHUNK = 4 * 1024 * 1024
STANDARD = "-"
MOST_LINKS = 40  # as many as Linux follows


class Mistake(Exception):
    """The user's to mend: arguments, or a file that is not as it was said to be."""


class Source(NamedTuple):
    """An input that is open. size: its bytes; None where that shows at its end only."""

    chunks: Iterator[bytes]
    size: int | None
    file: FileIO | None = None

    def close(self) -> None:
        """Lets go of a file that was opened for it; standard input stays open."""
        if self.file is not None:
            self.file.close()


def source_of(source: str, standard_input: TextIO | None) -> Source:
    """The bytes of a path, of `s3://bucket/key` or of standard input (`-`).

    Raises Mistake where there is none, at once; StoreError and OSError while it is read.
    """
    if source == STANDARD:
        if standard_input is None:
            raise Mistake("standard input is closed; name a file to read")
        stream = standard_input.buffer
        return Source(_read(getattr(stream, "raw", stream)), _size_of(stream))
    if source.startswith("s3://"):
        store, key = _object(source)
        try:
            stat = store.stat(key)
        except ObjectNotFound:
            raise Mistake(f"there is no object {source}") from None
        return Source(_ranges(store, key, stat, source), stat.size)
    try:
        file = Path(source).open("rb", buffering=0)  # noqa: SIM115 # closed by whoever gets it
    except FileNotFoundError:
        raise Mistake(f"there is no file {source}") from None
    except IsADirectoryError:
        raise Mistake(f"{source} is a folder; name a CSV file") from None
    return Source(_read(file), _size_of(file), file)


def _read(file: FileIO | BinaryIO) -> Iterator[bytes]:
    """What comes, as it comes. Without a buffer: that would be locked by whoever waits for a pipe, when all ends."""
    while chunk := file.read(CHUNK):
        yield chunk


def _size_of(stream: FileIO | BinaryIO) -> int | None:
    """None for a pipe, a terminal, a device, and a stream that is no file at all."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return None
    return found.st_size if modes.S_ISREG(found.st_mode) else None


def _ranges(store: Store, key: str, stat: Stat, source: str) -> Iterator[bytes]:
    for start in range(0, stat.size, CHUNK):
        try:
            yield store.read(key, start, min(start + CHUNK, stat.size), etag=stat.etag)
        except (PreconditionFailed, ObjectNotFound):
            raise StoreUnavailable(f"{source} was replaced or deleted while it was read; run it again") from None


def same_place(one: str, other: str) -> bool:
    """Whether two outputs are one object, file, pipe or stream, however they are spelled.

    A device is none: `/dev/null` and a terminal take both.
    """
    return one == other == STANDARD or _same(one, other, lambda mode: not modes.S_ISCHR(mode), standard=1)


def is_input(target: str, source: str) -> bool:
    """Whether an output is the object, file or pipe that the input is read from, however they are spelled.

    A device and a socket are none: what is written to them is not what is read.
    """
    return _same(target, source, lambda mode: not (modes.S_ISCHR(mode) or modes.S_ISSOCK(mode)), standard=0)


def _same(one: str, other: str, holds: Callable[[int], bool], *, standard: int) -> bool:
    """holds: whether what has this mode is a place. standard: the descriptor that `-` means for `other`."""
    if one.startswith("s3://") or other.startswith("s3://"):
        return one == other
    mine, theirs = _status(one, 1), _status(other, standard)
    if mine is not None and theirs is not None:
        return os.path.samestat(mine, theirs) and holds(mine.st_mode)
    if mine is not None or theirs is not None or STANDARD in (one, other):
        return False
    return os.path.realpath(one) == os.path.realpath(other)  # not `resolve`, which raises for a link to itself


def _status(name: str, standard: int) -> os.stat_result | None:
    """None where there is nothing yet."""
    with contextlib.suppress(OSError):
        return os.fstat(standard) if name == STANDARD else Path(name).stat()
    return None


def goes_out_at_once(target: str) -> bool:
    """Whether bytes go out as they come, to no name of their own, beside which another file could lie.

    So it is with standard output, descriptors, pipes and devices; not with files and objects. Raises Mistake.
    """
    if target == STANDARD or target.startswith("s3://"):
        return target == STANDARD
    path = _pointed_at(target)
    return _is_open_already(path) or (path.exists() and not path.is_file())


def standard_by_any_name(target: str) -> str:
    """`-` for what means standard output: `/dev/stdout`, `/dev/fd/1`, a link to them. Raises Mistake."""
    if target == STANDARD or target.startswith("s3://"):
        return target
    return STANDARD if _descriptor(_pointed_at(target)) == 1 else target


class Target(Protocol):
    """An output that can be begun, or removed where there is nothing to write."""

    def begin(self) -> Writer: ...
    def remove(self) -> None: ...


def target_of(target: str, standard_output: TextIO | None) -> Target:
    """A path, `s3://bucket/key` or standard output (`-`). Raises Mistake where nothing can be written.

    A named pipe waits here for its reader.
    """
    if target == STANDARD:
        if standard_output is None:
            raise Mistake("standard output is closed; name a file to write")
        return StreamTarget(standard_output.buffer)
    if target.startswith("s3://"):
        return ObjectTarget(*_object(target))
    path = _pointed_at(target)
    number = _descriptor(path)
    if number is not None:
        return StreamTarget(_shared(number, target), ours=True)
    if path.is_dir():
        raise Mistake(f"{target} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise Mistake(f"there is no folder {path.parent} for {target}; make it first")
    if path.exists() and not path.is_file():  # /dev/null, a pipe: nothing can be renamed over it
        return StreamTarget(path.open("wb"), ours=True)
    if _is_open_already(path):
        raise Mistake(f"{target} is of another process; name the file itself, or - for standard output")
    return PathTarget(path)


def _pointed_at(target: str) -> Path:
    """Through links: what they point at is written, and they stay."""
    path = Path(target)
    for _ in range(MOST_LINKS):
        if not path.is_symlink() or _is_open_already(path):
            return path
        path = path.parent / path.readlink()
    raise Mistake(f"{target} is a link that leads to itself")


def _is_open_already(path: Path) -> bool:
    """Whether it stands for what a process has open: nothing can be renamed over it, and nothing can lie beside it."""
    folder = os.path.realpath(path.parent)
    return folder == "/dev/fd" or (folder.startswith("/proc/") and folder.endswith("/fd"))


def _descriptor(path: Path) -> int | None:
    """The number of a descriptor of this process, open or not; None for every other path."""
    folder = os.path.realpath(path.parent)
    ours = folder == "/dev/fd" or folder.startswith(os.path.realpath("/proc/self") + "/")
    return int(path.name) if ours and _is_open_already(path) and path.name.isdecimal() else None


def _shared(number: int, target: str) -> BinaryIO:
    """The descriptor once more, with the place in the file that all who have it share.

    The file opened anew would have a place of its own, and others would write over what is written there.
    """
    try:
        ours = not os.get_inheritable(number)  # opened here since, under a number that was free: nobody means it
        access = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE
    except (OSError, OverflowError):
        ours, access = True, os.O_RDONLY
    if ours or access == os.O_RDONLY:
        raise Mistake(f"{target} is not open for writing; name a file, or - for standard output")
    return os.fdopen(os.dup(number), "wb")


class StreamTarget:
    """Bytes go out as they come; there is nothing to take back. ours: it is closed when they are out."""

    def __init__(self, stream: BinaryIO, *, ours: bool = False) -> None:
        self._stream = stream
        self._ours = ours

    def begin(self) -> Writer:
        return _StreamWriter(self._stream, ours=self._ours)

    def remove(self) -> None:
        """Nothing was written; whoever reads a pipe learns that it is at its end."""
        if self._ours:
            self._stream.close()


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
    def __init__(self, path: Path) -> None:
        self._file = WholeFile(path)

    def write(self, data: bytes) -> None:
        self._file.write(data)

    def commit(self) -> Stat:
        return Stat("", self._file.commit(), "")

    def abort(self) -> None:
        self._file.abort()


class _StreamWriter:
    def __init__(self, stream: BinaryIO, *, ours: bool = False) -> None:
        self._stream = stream
        self._ours = ours
        self._size = 0

    def write(self, data: bytes) -> None:
        self._size += len(data)
        self._stream.write(data)

    def commit(self) -> Stat:
        self._stream.flush()
        self._close()
        return Stat("", self._size, "")

    def abort(self) -> None:
        """What went out is out, and what did not need not."""
        with contextlib.suppress(OSError):  # nobody reads the pipe any more: the other output has yet to be taken back
            self._close()

    def _close(self) -> None:
        if self._ours:
            self._stream.close()


class NoTarget:
    """Nobody said where this should go: it is counted by its caller, and not kept."""

    def begin(self) -> Writer:
        return _StreamWriter(Path(os.devnull).open("wb"), ours=True)

    def remove(self) -> None:
        """There is nothing to remove."""


def _object(url: str) -> tuple[Store, str]:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not bucket or not key or key.endswith("/"):
        raise Mistake(f"{url} names no object; write s3://bucket/key")
    return open_store(f"s3://{bucket}"), key
