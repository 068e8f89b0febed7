"""Gzip in pieces: told by the bytes, read through all members, written so that equal input gives equal bytes.

Source: RFC 1952. It knows no CSV.
"""

import zlib
from collections.abc import Iterator
from typing import Final

from functions.errors import DropRefused
from functions.scoring import reasons

MAGIC: Final = b"\x1f\x8b"
GZIP: Final = 31  # zlib's window bits for a gzip header and trailer
LEVEL: Final = 6  # fixed, like the header's time of 0: two workers write the same bytes
PIECE: Final = 1 << 18  # bytes that come out at once, so that a bomb does not fill the memory


class Gunzip:
    """Decompresses what it is fed, member after member. Zero padding after a member is allowed, as gzip allows it."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(GZIP)
        self._fresh = True
        self._head = b""
        self._members = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pieces of at most `PIECE` bytes. Raises DropRefused where this is no gzip data."""
        while data:
            if self._fresh:
                data = self._begin(data)
                if self._fresh:
                    return
            try:
                piece = self._member.decompress(data, PIECE)
            except zlib.error as error:
                raise DropRefused(
                    reasons.BROKEN_GZIP, f"the gzip data is broken ({error}); make the file anew"
                ) from None
            if piece:
                yield piece
            if self._member.eof:
                data = self._member.unused_data
                self._member = zlib.decompressobj(GZIP)
                self._fresh = True
                self._members += 1
            else:
                data = self._member.unconsumed_tail

    def finish(self) -> None:
        """Raises DropRefused where the data stopped inside a member."""
        if not self._fresh or self._head:
            raise DropRefused(reasons.BROKEN_GZIP, "the gzip data is cut off; make the file anew")

    def _begin(self, data: bytes) -> bytes:
        """Skips padding before a member and checks how it starts."""
        data = self._head + data
        if self._members:
            data = data.lstrip(b"\0")
        self._head = b""
        if len(data) < len(MAGIC):
            self._head = data
            return b""
        if not data.startswith(MAGIC):
            raise DropRefused(reasons.BROKEN_GZIP, "there is something else after the gzip data; make the file anew")
        self._fresh = False
        return data


class Gzip:
    """Compresses into one member."""

    def __init__(self) -> None:
        self._member = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)

    def feed(self, data: bytes) -> bytes:
        return self._member.compress(data)

    def finish(self) -> bytes:
        return self._member.flush()
