"""Puts cells behind the rows of a text, all rows at once; it knows no meaning of either."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

WORD = 8


@dataclass(frozen=True, slots=True)
class Pieces:
    """n pieces of bytes, one behind the other. lengths: of each."""

    text: Array
    lengths: Array

    def write(self, out: Array, starts: Array) -> Array:
        """Writes them at `starts`; gives which bytes of `out` are left."""
        counts = np.empty(2 * len(starts) + 1, dtype=np.int64)  # left, of a piece, left ...
        counts[1::2] = self.lengths
        counts[0:-1:2] = starts - np.concatenate(([0], (starts + self.lengths)[:-1]))
        counts[-1] = len(out) - counts[:-1].sum()
        turns = np.ones(len(counts), dtype=np.bool_)
        turns[1::2] = False
        left = np.repeat(turns, counts)
        out[~left] = self.text
        return left


@dataclass(frozen=True, slots=True)
class Chosen:
    """n of m different pieces. words: their 64-bit words, filled up with zeros, the first of each first, p by m.

    holes: the same, each byte of a piece 0 and each behind it 1. sizes: bytes of each, m. choice: n.
    """

    words: Array
    holes: Array
    sizes: Array
    choice: Array

    @classmethod
    def of(cls, pieces: list[bytes]) -> "Chosen":
        """None of them yet."""
        room = WORD * -(-max(map(len, pieces), default=1) // WORD)
        words, holes = (
            np.ascontiguousarray(np.frombuffer(b"".join(filled), dtype="<u8").reshape(-1, room // WORD).T)
            for filled in (
                [piece.ljust(room, b"\0") for piece in pieces],
                [bytes(len(piece)).ljust(room, b"\1") for piece in pieces],
            )
        )
        return cls(words, holes, np.array([len(piece) for piece in pieces], dtype=np.int64), np.empty(0, np.int64))

    def choose(self, choice: Array) -> "Chosen":
        """The pieces of these indices."""
        return Chosen(self.words, self.holes, self.sizes, choice)

    @property
    def lengths(self) -> Array:
        return self.sizes.take(self.choice)

    def write(self, out: Array, starts: Array) -> Array:
        """Writes them at `starts`, and zeros behind each up to the end of its last word; gives which bytes are left.

        The last words of all pieces go first and the first words last, so that none is lost under the end of another.
        """
        roomy = np.empty(len(out) + WORD, dtype=np.bool_)
        roomy[: len(out)] = True
        to, left = (np.ndarray((len(one) - WORD + 1,), "<u8", one, 0, (1,)) for one in (out, roomy))
        for place in range(len(self.words) - 1, 0, -1):
            long = np.flatnonzero(self.sizes.take(self.choice) > place * WORD)
            at, choice = starts[long] + place * WORD, self.choice[long]
            to[at], left[at] = self.words[place].take(choice), self.holes[place].take(choice)
        to[starts], left[starts] = self.words[0].take(self.choice), self.holes[0].take(self.choice)
        return roomy[: len(out)]


def spliced(text: Any, stops: Array, cells: "Chosen | Pieces") -> tuple[Array, Array]:
    """The bytes `text` with a cell behind each of n places in it, which ascend; and the places behind the cells."""
    text = np.frombuffer(text, dtype=np.uint8)
    lengths = cells.lengths
    ends = stops + np.cumsum(lengths)
    room = len(text) + int(lengths.sum())
    roomy = np.empty(room + WORD, dtype=np.uint8)
    left = cells.write(roomy, ends - lengths)[:room]
    out = roomy[:room]
    out[left] = text
    return out, ends
