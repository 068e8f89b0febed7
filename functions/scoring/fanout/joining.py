"""Puts parts together: which bytes still have to be sent, and the line numbers of rejected rows. Pure; no I/O."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from functions.registry.uploads import Numbered
from functions.scoring.quarantine import COLUMNS
from functions.scoring.tally import Counts


class Refused(msgspec.Struct, frozen=True, tag=True):
    """Why a part can never be scored: reason code, and words."""

    code: str
    message: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """What a part came to.

    pieces: what went into the upload, in order; none where all of its output was too little for one.
    opening: bytes of its output that are kept aside, from the first on: the first piece, or all there is.
    rejected: whether rejected rows are kept aside. It travels as MessagePack, which has numbers that are not finite.
    """

    pieces: list[Numbered]
    opening: int
    rejected: bool
    counts: Counts


class AsItIs(msgspec.Struct, frozen=True):
    """A piece of the upload that stays."""

    piece: Numbered


class Joined(msgspec.Struct, frozen=True):
    """A piece to be sent under `number`: the openings of these parts, one after the other."""

    number: int
    parts: list[int]


Section: TypeAlias = AsItIs | Joined


def sections(done: Sequence[Done], numbers: Sequence[range], least: int) -> Iterator[Section]:
    """The upload's pieces in order, none of them under `least` bytes but the last.

    What was too little to be sent goes in front of the next piece there is, which is kept aside for that, or together.
    """
    waiting: list[int] = []
    size = 0
    for part, one in enumerate(done):
        if one.pieces and not waiting:
            yield from map(AsItIs, one.pieces)
            continue
        if one.opening:
            waiting.append(part)
            size += one.opening
        if one.pieces or size >= least:
            yield Joined(numbers[part][0], waiting)
            yield from map(AsItIs, one.pieces[1:])
            waiting, size = [], 0
    if waiting:
        yield Joined(numbers[waiting[-1]][0], waiting)


def renumbered(chunks: Iterable[bytes], lines: int, *, first: bool) -> Iterator[bytes]:
    """One part's rejected rows, as it wrote them, with `lines` more in each row's first cell.

    Of the parts' headers only the `first` is kept. Memory does not grow with the rows: of one only its number is held.
    """
    skipped = 0 if first else len(COLUMNS)
    kept = len(COLUMNS) if first else 0
    number = b""
    quoted = False
    starts = True
    for chunk in chunks:
        out = []
        position = 0
        if skipped or kept:
            position = min(len(chunk), skipped or kept)
            if kept:
                out.append(chunk[:position])
                kept -= position
            else:
                skipped -= position
        while position < len(chunk):
            if starts:
                comma = chunk.find(b",", position)
                number += chunk[position : comma if comma >= 0 else len(chunk)]
                position = comma if comma >= 0 else len(chunk)
                if comma >= 0:
                    out.append(b"%d" % (int(number) + lines))
                    number, starts = b"", False
                continue
            stop, quoted, starts = _row_end(chunk, position, quoted)
            out.append(chunk[position:stop])
            position = stop
        yield b"".join(out)


def _row_end(chunk: bytes, position: int, quoted: bool) -> tuple[int, bool, bool]:
    """Where the row stops in this chunk, whether that is inside quotes, and whether the row ends there."""
    while True:
        quote = chunk.find(b'"', position)
        if quoted:
            if quote < 0:
                return len(chunk), True, False
        else:
            line_end = chunk.find(b"\n", position, quote if quote >= 0 else len(chunk))
            if line_end >= 0:
                return line_end + 1, False, True
            if quote < 0:
                return len(chunk), False, False
        quoted = not quoted
        position = quote + 1
