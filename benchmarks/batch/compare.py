"""What a contestant made of a file: the input's columns byte for byte or not, and which predictions. It times nothing.

A scored row is the input's row, a separator and one cell. Quoted cells may hold line ends, so a record ends with the
first line that leaves no quote open.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, cast


@dataclass(frozen=True, slots=True)
class Outcome:
    """identical: every byte of the input's rows is in the output, in place. predictions: a digest of the last cells,
    without quotes. rows: records of the output, its header left out."""

    identical: bool
    predictions: str
    rows: int


def outcome(source: Path, target: Path) -> Outcome:
    """Reads both files; memory does not grow with them. The target may be packed by gzip."""
    with _opened(target) as output:
        rows, predictions = _predictions(output)
    with source.open("rb") as given, _opened(target) as output:
        return Outcome(_identical(given, output), predictions, rows)


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def digest(path: Path) -> str:
    """Of a whole file, to know that a later run made the same."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()


def _identical(given: BinaryIO, output: BinaryIO) -> bool:
    for (line, closed), scored in zip_longest(_lines(given), output, fillvalue=(b"", True)):
        if not isinstance(scored, bytes) or not line:
            return False
        if not (scored.startswith(line.rstrip(b"\r\n") + b",") if closed else scored == line):
            return False
    return True


def _predictions(output: BinaryIO) -> tuple[int, str]:
    found = hashlib.blake2b()
    rows = -1
    for line, closed in _lines(output):
        if closed:
            rows += 1
            found.update(line.rstrip(b"\r\n").rpartition(b",")[2].strip(b'"') + b"\n")
    return rows, found.hexdigest()


def _lines(file: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Each line, and whether it closes a record."""
    opened = False
    for line in file:
        if b'"' in line and line.count(b'"') % 2:
            opened = not opened
        yield line, not opened
