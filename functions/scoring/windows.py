"""Cuts the bytes of a file into windows of whole records; it reads no cell.

A record belongs to the window in which its line ends, and windows are counted from the file's first byte. So whoever
begins later in the same file cuts the same windows from there on, and a model is asked about the same rows at once.

Where quotes stand as RFC 4180 has them, or there are none, a window is cut as a whole. Anything else goes the exact
way, through the framer, record by record.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from functions.scoring.framing import LF, QUOTE, Framer, Record, Rest

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

BLOCK = 1024 * 1024  # bytes; fixed, so that two workers cut alike


class Window(NamedTuple):
    """Whole records, each with its line end. line: the physical line where they start. quotes: where, if anywhere."""

    text: bytes
    line: int
    quotes: Array | None


class Framed(NamedTuple):
    """The same, framed one by one."""

    records: list[Record | Rest]


def blocks(pieces: Iterable[tuple[bytes | memoryview, int]], start: int) -> Iterator[tuple[bytes, int]]:
    """The bytes from the absolute offset `start` on, in pieces that end where windows do. The numbers pass along."""
    held: list[bytes | memoryview] = []
    room = BLOCK - start % BLOCK
    done = 0
    for piece, done in pieces:
        at = 0
        while len(piece) - at >= room:
            held.append(piece[at : at + room])
            yield b"".join(held), done
            held.clear()
            at += room
            room = BLOCK
        if at < len(piece):
            held.append(piece[at:])
            room -= len(piece) - at
    if held:
        yield b"".join(held), done


class Cutter:
    """Cuts what it is fed, block by block. `limit`: bytes of the longest record."""

    def __init__(self, separator: bytes, limit: int, line: int) -> None:
        self._separator = separator
        self._limit = limit
        self._line = line
        self._rest = b""
        self._framer: Framer | None = None  # while the exact way cannot be left

    @property
    def line(self) -> int:
        """The physical line that follows."""
        return self._line if self._framer is None else self._framer.line

    def feed(self, block: bytes) -> Window | Framed:
        """The records that end in this block; perhaps none."""
        if self._framer is not None:
            return self._exactly(block)
        whole, rest, quotes = _cut(self._rest, block, self._separator)
        if whole is None or len(rest) > self._limit or _longest(whole, quotes, self._limit) > self._limit:
            return self._exactly(block)
        if b"\n" in rest and Framer(self._separator, self._limit, 1).feed(rest):
            return self._exactly(block)  # not a cell that holds a line end but a lone quote, and records end in there
        line, self._rest = self._line, rest
        self._line += int(np.count_nonzero(np.frombuffer(whole, dtype=np.uint8) == LF))
        return Window(whole, line, quotes)

    def finish(self) -> Framed:
        """What was left."""
        framer = self._exact()
        records = framer.finish()
        self._line, self._framer, self._rest = framer.line, None, b""
        return Framed(records)

    def _exactly(self, block: bytes) -> Framed:
        framer = self._exact()
        records = framer.feed(block)
        rest = framer.rest
        if rest is not None:
            self._line, self._framer, self._rest = framer.line, None, rest
        return Framed(records)

    def _exact(self) -> Framer:
        """The framer, with what is left already in it."""
        if self._framer is None:
            self._framer = Framer(self._separator, self._limit, self._line, self._rest)
        return self._framer


def _cut(before: bytes, block: bytes, separator: bytes) -> tuple[bytes | None, bytes, Array | None]:
    """Whole records, what is left, and the quotes in them; None for the first where quotes stand oddly."""
    if b'"' not in block and b'"' not in before:
        end = block.rfind(b"\n") + 1
        return (b"".join((before, memoryview(block)[:end])), block[end:], None) if end else (b"", before + block, None)
    text = before + block
    characters = np.frombuffer(text, dtype=np.uint8)
    quotes = np.flatnonzero(characters == QUOTE)
    stop = len(text)
    while True:
        line_end = text.rfind(b"\n", 0, stop)
        inside = int(np.searchsorted(quotes, line_end))
        if inside % 2 == 0:
            break
        stop = int(quotes[inside - 1])  # inside quotes: the record ends before they open, if it ends
    quotes = quotes[:inside]
    cut = line_end + 1
    return (text[:cut] if _are_regular(characters, quotes, separator) else None), text[cut:], quotes


def _are_regular(characters: Array, quotes: Array, separator: bytes) -> bool:
    """Whether each pair encloses a cell, or a part of one up to a doubled quote. A line end follows the last."""
    if not len(quotes):
        return True
    opening, closing = quotes[0::2], quotes[1::2]
    before = characters[opening - 1]
    begins = (before == separator[0]) | (before == LF)
    begins[1:] |= opening[1:] - 1 == closing[:-1]
    begins[0] |= opening[0] == 0
    after = characters[closing + 1]
    ends = (after == separator[0]) | (after == LF)
    ends[:-1] |= opening[1:] - 1 == closing[:-1]
    returns = np.flatnonzero(~ends)
    if len(returns):
        ends[returns] = (after[returns] == ord("\r")) & (characters[closing[returns] + 2] == LF)
    return bool(begins.all() and ends.all())


def _longest(text: bytes, quotes: Array | None, limit: int) -> int:
    """Bytes of the longest record, its line end with it, or less than the limit."""
    if len(text) <= limit:
        return 0
    ends = np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == LF)
    if quotes is not None:
        ends = ends[np.searchsorted(quotes, ends) % 2 == 0]
    return int(np.diff(ends, prepend=-1).max()) if len(ends) else 0
