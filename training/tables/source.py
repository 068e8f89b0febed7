"""Where a table's bytes come from: a file, standard input, an object in S3. It knows no format but its compression."""

import gzip
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from functions.errors import ObjectNotFound
from functions.registry.digest import sha256
from functions.registry.store import open_store
from training.endings import Mistake
from training.tables import memory

STANDARD_INPUT = "-"
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Raw:
    """A table's bytes, unpacked. sha256: of the bytes as they came, lower-case hex."""

    body: bytes
    sha256: str

    @property
    def is_parquet(self) -> bool:
        return self.body.startswith(PARQUET) and self.body.endswith(PARQUET)


def read_source(where: str) -> Raw:
    """The bytes at a path, `s3://bucket/key`, or `-` for standard input.

    Raises Mistake where there are none, or more than memory holds; that is looked at before they are read.
    """
    body = _stdin() if where == STANDARD_INPUT else _object(where) if where.startswith("s3://") else _file(Path(where))
    return Raw(_unpacked(body), sha256(body))


def _file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            if not path.is_file():  # a pipe has no size
                return _pieces(file)
            sample = file.read(memory.SAMPLE)
            _check(path.stat().st_size, sample)
            return sample + file.read()
    except FileNotFoundError:
        raise Mistake(f"there is no file {path}") from None
    except IsADirectoryError:
        raise Mistake(f"{path} is a folder; name a CSV file in it") from None
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}") from None


def _stdin() -> bytes:
    if sys.stdin is None or sys.stdin.isatty():
        raise Mistake("there is nothing on standard input; pipe a table into it, or name a file")
    return _pieces(sys.stdin.buffer)


def _pieces(stream: BinaryIO) -> bytes:
    """As far as memory goes."""
    pieces: list[bytes] = []
    size = 0
    while piece := stream.read(PIECE):
        pieces.append(piece)
        size += len(piece)
        _check(size, pieces[0])
    return b"".join(pieces)


def _object(url: str) -> bytes:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not bucket or not key:
        raise Mistake(f"{url} names no object; write s3://bucket/key")
    store = open_store(f"s3://{bucket}")
    try:
        stat = store.stat(key)
        _check(stat.size, store.read(key, 0, min(stat.size, memory.SAMPLE), etag=stat.etag) if stat.size else b"")
        return store.get(key).body
    except ObjectNotFound:
        raise Mistake(f"there is no object {url}") from None


def _check(size: int, sample: bytes) -> None:
    """What is packed is looked at again once it is known how much it holds; Parquet tells it in its footer."""
    packed = sample.startswith((GZIP, PARQUET))
    memory.refuse_beyond(size if packed else memory.needed(size, sample))


def _unpacked(body: bytes) -> bytes:
    if not body.startswith(GZIP):
        return body
    try:
        size, sample = _size_unpacked(body)
        memory.refuse_beyond(memory.needed(size, sample))
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        raise Mistake("the gzip data is broken or cut off; make the file anew") from None


def _size_unpacked(body: bytes) -> tuple[int, bytes]:
    """Counted, for what gzip writes at the end is of one member, and modulo 4 GiB."""
    size, sample = 0, b""
    rest = memoryview(body)
    while len(rest) and bytes(rest[:2]) == GZIP:
        member = zlib.decompressobj(wbits=31)
        data: bytes | memoryview = rest
        while not member.eof:
            piece = member.decompress(data, PIECE)
            data = member.unconsumed_tail
            if not piece and not data and not member.eof:
                raise EOFError
            size += len(piece)
            sample = sample if len(sample) >= memory.SAMPLE else sample + piece
        rest = memoryview(member.unused_data)
    return size, sample[: memory.SAMPLE]
