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

    def write(self, out: Array, kept: Array, _starts: Array) -> None:
        """Writes them into what `kept` leaves of `out`."""
        out[: len(kept)][~kept] = self.text


@dataclass(frozen=True, slots=True)
class Chosen:
    """n of a few pieces. words: the pieces as 64-bit words, filled up with zeros; sizes: bytes of each. choice: n."""

    words: Array
    sizes: Array
    choice: Array

    @classmethod
    def of(cls, pieces: list[bytes]) -> "Chosen":
        """None of them yet."""
        count = -(-max(map(len, pieces), default=1) // WORD)
        filled = b"".join([piece.ljust(count * WORD, b"\0") for piece in pieces])
        words = np.frombuffer(filled, dtype=np.uint64).reshape(-1, count)
        return cls(words, np.array([len(piece) for piece in pieces], dtype=np.int64), np.empty(0, dtype=np.int64))

    def choose(self, choice: Array) -> "Chosen":
        """The pieces of these indices."""
        return Chosen(self.words, self.sizes, choice)

    @property
    def lengths(self) -> Array:
        return self.sizes[self.choice]

    def write(self, out: Array, _kept: Array, starts: Array) -> None:
        """Writes them at `starts`, and up to seven bytes behind each, which are written over later.

        The last words of all pieces go first and the first words last, so that none is lost under the end of another.
        """
        words = np.ndarray((len(out) - WORD + 1,), "<u8", out, 0, (1,))
        lengths = self.lengths
        for place in range(self.words.shape[1] - 1, 0, -1):
            long = np.flatnonzero(lengths > place * WORD)
            words[starts[long] + place * WORD] = self.words[self.choice[long], place]
        words[starts] = self.words[self.choice, 0]


def spliced(text: Any, stops: Array, cells: "Chosen | Pieces") -> tuple[Array, Array]:
    """The bytes `text` with a cell behind each of n places in it, which ascend; and the places behind the cells."""
    text = np.frombuffer(text, dtype=np.uint8)
    lengths = cells.lengths
    ends = stops + np.cumsum(lengths)
    room = len(text) + int(lengths.sum())
    counts = np.empty(2 * len(stops) + 1, dtype=np.int64)  # of bytes: of the text, of a cell, of the text ...
    counts[0:-1:2] = np.diff(stops, prepend=0)
    counts[1::2] = lengths
    counts[-1] = len(text) - (stops[-1] if len(stops) else 0)
    turns = np.ones(len(counts), dtype=np.bool_)
    turns[1::2] = False
    kept = np.repeat(turns, counts)
    roomy = np.empty(room + WORD, dtype=np.uint8)
    cells.write(roomy, kept, ends - lengths)
    out = roomy[:room]
    out[kept] = text
    return out, ends
