"""Finds the cells of a window, all at once; it reads none of them."""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from functions.scoring.framing import CR, LF
from functions.scoring.windows import Window

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Grid:
    """n records of a window. text: its bytes. starts, stops: of each record's body; nexts: behind its line end.

    regular: the indices of the m records that have as many cells as the header, and whose bytes are beyond doubt; None
    where all have. edges: m by that many, where each cell ends.
    """

    text: Array
    starts: Array
    stops: Array
    nexts: Array
    regular: Array | None
    edges: Array

    def cells(self, places: Array) -> tuple[Array, Array]:
        """Start and stop of the m cells of k columns, k by m, quotes included."""
        stops = self.edges.T[places]
        starts = self.edges.T[places - 1] + 1
        starts[places == 0] = self.starts if self.regular is None else self.starts[self.regular]
        return starts, stops


def grid_of(window: Window, separator: bytes, width: int) -> Grid:
    """Where records and cells of a window lie, which has at least one record."""
    text = np.frombuffer(window.text, dtype=np.uint8)
    marks, ends = _marks(text, window.quotes, separator[0], width)
    lines = marks[ends]
    nexts = lines + 1
    starts = np.concatenate(([0], nexts[:-1]))
    stops, odd = _stops(text, window.quotes, starts, lines)
    beyond_ascii = text.view(np.int8) < 0
    if beyond_ascii.any() and not _is_utf8(window.text):
        odd = _or(odd, _rows_of(np.flatnonzero(beyond_ascii), nexts))
    irregular = np.diff(ends, prepend=-1) != width
    if irregular.any():
        odd = irregular if odd is None else odd | irregular
    if odd is None:
        edges = marks.reshape(-1, width)
        regular = None
    else:
        regular = np.flatnonzero(~odd)
        edges = marks[ends[regular, None] + np.arange(1 - width, 1)]
    if stops is not lines:
        edges = edges.copy()
        edges[:, -1] = stops if regular is None else stops[regular]
    return Grid(text, starts, stops, nexts, regular, edges)


def _marks(text: Array, quotes: Array | None, separator: int, width: int) -> tuple[Array, Array]:
    """Every separator and line end outside quotes, and which of these are line ends."""
    ends = text == LF
    lines = int(np.count_nonzero(ends))
    marks: Array = np.flatnonzero((text == separator) | ends)
    if quotes is not None and len(quotes):
        marks = _outside(quotes, marks)
    elif len(marks) == lines * width and (text[marks[width - 1 :: width]] == LF).all():
        return marks, np.arange(width - 1, len(marks), width)  # as almost always: nothing more to look for
    return marks, np.flatnonzero(text[marks] == LF)


def _stops(text: Array, quotes: Array | None, starts: Array, lines: Array) -> tuple[Array, Array | None]:
    """Where bodies stop before LF or CRLF, and which records hold another carriage return."""
    returns = text == CR
    if not returns.any():
        return lines, None
    before = (text[np.maximum(lines - 1, 0)] == CR) & (lines > starts)
    stops = lines - before
    if np.count_nonzero(returns) == np.count_nonzero(before):
        return stops, None
    others = np.setdiff1d(np.flatnonzero(returns), stops[before], assume_unique=True)
    if quotes is not None:
        others = _outside(quotes, others)
    return stops, _rows_of(others, lines + 1) if len(others) else None


def _outside(quotes: Array, places: Array) -> Array:
    """Those of these places that are not inside quotes."""
    outside: Array = places[np.searchsorted(quotes, places) % 2 == 0]
    return outside


def _rows_of(places: Array, nexts: Array) -> Array:
    """Which of n records hold one of these places."""
    found = np.zeros(len(nexts), dtype=np.bool_)
    found[np.searchsorted(nexts, places, side="right")] = True
    return found


def _or(one: Array | None, other: Array) -> Array:
    return other if one is None else one | other


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
