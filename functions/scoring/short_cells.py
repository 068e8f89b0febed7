"""Reads cells of at most four characters, digits and a dot, by looking each up among all there are; it knows no rows.

Measured values mostly are so short. Four characters are one 32-bit word, from which a multiplication makes a place of
16 bits that no two numbers share. So a cell costs one look at a table, where reading its digits takes two dozen steps.
"""

from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

LENGTH: Final = 4  # characters

_ZEROS = np.uint32(0x30303030)
_SPREAD, _DOWN, _PLACES = np.uint32(0x1001), np.uint32(12), np.uint32(0xFFFF)
# By the number of characters that belong to the cell: which bytes of the word these are. The others count as zeros.
_OWN = np.array([0, 0xFF000000, 0xFFFF0000, 0xFFFFFF00, 0xFFFFFFFF], dtype=np.uint32)


def words_of(text: Array) -> Array:
    """The word that begins at each byte of a text of at least four."""
    return np.ndarray((len(text) - LENGTH + 1,), "<u4", text, 0, (1,))


def read_short(words: Array, lengths: Array, stops: Array) -> tuple[Array, Array]:
    """Values of cells of one to four characters, float64, and which cells are longer, empty, or no such numbers.

    A dot at the end is left unread too: with zeros before it, a lone dot looks the same.
    """
    numbers, values = _table()
    word = words[stops - LENGTH]
    word ^= _ZEROS
    word &= _OWN.take(lengths, mode="clip")
    place: Any = word * _SPREAD
    place >>= _DOWN
    place &= _PLACES
    place = place.astype(np.intp)
    bad: Array = numbers.take(place, mode="clip") != word
    if lengths.min() < 1 or lengths.max() > LENGTH:
        bad |= (lengths < 1) | (lengths > LENGTH)
    return values.take(place, mode="clip"), bad


@cache
def _table() -> tuple[Array, Array]:
    """By place: the word of the number that is there, its zeros taken off, and its value."""
    # Where no number is, the word of the number 0 stands, which no other cell can have: its own place is the first.
    numbers, values = np.zeros(1 << 16, dtype=np.uint32), np.zeros(1 << 16)
    digits = np.arange(10_000)
    characters = [digits // 10**power % 10 for power in (3, 2, 1, 0)]
    _enter(numbers, values, characters, digits / 1)
    digits = digits[:1000]
    characters = [digits // 10**power % 10 for power in (2, 1, 0)]
    dots = np.full(len(digits), ord(".") ^ 0x30)
    for before in range(LENGTH - 1):
        with_dot = [*characters[:before], dots, *characters[before:]]
        _enter(numbers, values, with_dot, digits / 10 ** (LENGTH - 1 - before))
    return numbers, values


def _enter(numbers: Array, values: Array, characters: list[Any], own: Array) -> None:
    word = sum(character << 8 * at for at, character in enumerate(characters)).astype(np.uint32)
    place = (word * _SPREAD >> _DOWN) & _PLACES
    numbers[place], values[place] = word, own
