"""A file that appears whole and durably under its name, or not at all; it knows no store and no format."""

import os
import uuid
from pathlib import Path

AHEAD = 16 * 1024 * 1024  # bytes after which the system is asked to begin


class WholeFile:
    """Written under a temporary name beside its own, and renamed when it is whole. Raises OSError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{uuid.uuid4().hex}.part")
        self._file = self._part.open("xb")
        self._begun = 0

    def write(self, data: bytes) -> None:
        self._file.write(data)
        if self._file.tell() - self._begun >= AHEAD:
            self._begin()

    def commit(self) -> int:
        """Makes the file visible, in place of what was there; gives its size in bytes."""
        size = self._file.tell()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        sync_folder(self._path.parent)
        return size

    def _begin(self) -> None:
        """Has the disk write what there is while more is made, so that `commit` need not wait for all of it."""
        self._file.flush()
        size = self._file.tell()
        os.posix_fadvise(self._file.fileno(), self._begun, size - self._begun, os.POSIX_FADV_DONTNEED)
        self._begun = size

    def abort(self) -> None:
        """Forgets the file. Does nothing after `commit`."""
        self._part.unlink(missing_ok=True)
        self._file.close()


def write_whole(path: Path, body: bytes) -> None:
    file = WholeFile(path)
    try:
        file.write(body)
        file.commit()
    finally:
        file.abort()


def sync_folder(folder: Path) -> None:
    """Makes a rename or an unlink in it durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
