"""Reads the cells of a column of numbers that were not read all at once: the one grammar is asked. It knows no rows.

Programs that write numbers with exponents write all of them so. Of cells that hold nothing but digits, signs, dots and
exponents Python's own float() takes what the grammar takes, so these are read by it, in a fifth of the time.
"""

from typing import Any, Final, TypeAlias

import numpy as np

from functions.inference.cells import LARGEST_EXACT
from functions.scoring.distinct import BAD, read_cell
from functions.signature import Feature

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

TOGETHER: Final = 1000  # cells; one that is written otherwise keeps no more from being read by float()
WRITTEN: Final = b"0123456789.+-eE,"
ROUNDED: Final = (b".", b"e", b"E")


def read_unread(text: bytes, starts: Array, stops: Array, feature: Feature, values: Array, left: Array) -> Array:
    """Fills `values` at the indices `left` from the cells [start, stop) of `text`; gives those of what is no number."""
    if feature.nullable:
        empty = stops[left] == starts[left]
        values[left[empty]] = np.nan
        left = left[~empty]
    bad: list[int] = []
    for first in range(0, len(left), TOGETHER):
        some = left[first : first + TOGETHER]
        cells = [text[start:stop] for start, stop in zip(starts[some].tolist(), stops[some].tolist(), strict=True)]
        found = _with_exponents(cells)
        if found is None:
            bad += _one_by_one(cells, some.tolist(), feature, values)
        else:
            values[some] = found
    return np.array(bad, dtype=np.int64)


def _with_exponents(cells: list[bytes]) -> Array | None:
    """float64 of cells that hold no other characters and are numbers; None where one does or is not."""
    if b",".join(cells).translate(None, WRITTEN):
        return None
    try:
        found = np.fromiter(map(float, cells), np.float64, len(cells))
    except ValueError:
        return None
    # A whole number must be exact, which the grammar looks at, as at what is no finite one.
    large = np.flatnonzero(np.abs(found) >= LARGEST_EXACT).tolist()
    rounded = all(any(mark in cells[at] for mark in ROUNDED) for at in large)
    return found if rounded and np.isfinite(found).all() else None


def _one_by_one(cells: list[bytes], places: list[int], feature: Feature, values: Array) -> list[int]:
    bad = []
    for place, cell in zip(places, cells, strict=True):
        value = read_cell(cell, feature)
        if value is BAD:
            bad.append(place)
        else:
            values[place] = np.nan if value is None else value
    return bad
