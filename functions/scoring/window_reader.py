"""Reads a window as one typed column for each feature, all rows at once; what it cannot, the exact reader is given.

It takes nothing that the exact reader would not, and says nothing about what is wrong with a row: that is asked there.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from functions.scoring.columns import Block, BlockReader, Rows
from functions.scoring.distinct import Distinct
from functions.scoring.framing import LF, QUOTE, Framer, Record
from functions.scoring.grid import Grid, grid_of
from functions.scoring.header import Header
from functions.scoring.numbers import read_numbers
from functions.scoring.unread import read_unread
from functions.scoring.windows import Window
from functions.signature import Signature

if TYPE_CHECKING:
    from functions.inference.engine import Column

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]


NOTHING: Array = np.empty(0, dtype=np.int64)


class WindowReader:
    """Reads windows under one header; several threads may at once."""

    def __init__(self, header: Header, signature: Signature, limit: int) -> None:
        self._header = header
        self._limit = limit
        features = list(zip(signature.features, header.positions, strict=True))
        self._names = signature.names
        self._numbers = [feature for feature, _ in features if feature.dtype == "float64"]
        self._places = np.array([place for feature, place in features if feature.dtype == "float64"], dtype=np.int64)
        self._others = [(feature, place) for feature, place in features if feature.dtype != "float64"]
        self._distinct = {feature.name: Distinct(feature) for feature, _ in self._others}
        self._exact = BlockReader(header, signature, limit)

    def read(self, window: Window) -> Block:
        """n records, at least one, become at most n rows; the rest are rejected or blank. Nothing is lost."""
        grid = grid_of(window, self._header.separator, self._header.width)
        columns, bad = self._columns(window, grid)
        rows = Rows(window.text, grid.stops, grid.nexts, _line_of(window, grid))
        if grid.regular is None and not len(bad):
            return Block(rows, columns)
        return self._with_exact(window, grid, rows, columns, bad)

    def _columns(self, window: Window, grid: Grid) -> "tuple[list[Column], Array]":
        """m values for each feature, and which of the m regular records have a cell that was not read."""
        columns: dict[str, Any] = {}
        bad: list[Array] = []
        if self._numbers:
            starts, stops = self._cells(window, grid, self._places)
            values, unread = read_numbers(grid.text, starts, stops)
            for at in np.flatnonzero(unread.any(axis=1)).tolist():
                left = np.flatnonzero(unread[at])
                bad.append(read_unread(window.text, starts[at], stops[at], self._numbers[at], values[at], left))
            columns = {feature.name: values[at] for at, feature in enumerate(self._numbers)}
        for feature, place in self._others:
            starts, stops = self._cells(window, grid, np.array([place]))
            columns[feature.name], bad_cells = self._distinct[feature.name].read(window.text, starts[0], stops[0])
            bad.append(bad_cells)
        ordered = [columns[name] for name in self._names]
        return ordered, np.unique(np.concatenate(bad)) if bad else NOTHING

    def _cells(self, window: Window, grid: Grid, places: Array) -> tuple[Array, Array]:
        """Start and stop of the m cells of k columns, k by m, without the quotes around them."""
        starts, stops = grid.cells(places)
        if window.quotes is None or not len(window.quotes):
            return starts, stops
        quoted = (grid.text[starts] == QUOTE) & (stops > starts)  # those inside stay doubled
        return starts + quoted, stops - quoted

    def _with_exact(self, window: Window, grid: Grid, rows: Rows, columns: "list[Column]", bad: Array) -> Block:
        """Has the records that were not read as they should be read one by one, and puts them back among the others."""
        known = np.zeros(len(rows), dtype=np.bool_)
        regular = np.arange(len(rows)) if grid.regular is None else grid.regular
        good = np.ones(len(regular), dtype=np.bool_)
        good[bad] = False
        known[regular[good]] = True
        asked = np.flatnonzero(~known)
        records = self._records(window, grid, asked, rows.line_of)
        exact = self._exact.read(records)
        place_of = dict(zip([record.line for record in records], asked.tolist(), strict=True))
        found = np.array([place_of[exact.rows.line_of(index)] for index in range(len(exact.rows))], dtype=np.int64)
        kept = known.copy()
        kept[found] = True
        merged: list[Column] = []
        for own, others in zip(columns, exact.columns, strict=True):
            whole = np.empty(len(rows), dtype=own.dtype)
            whole[regular[good]] = own[good]
            whole[found] = others
            merged.append(whole[kept])
        scored = rows if kept.all() else rows.only(np.flatnonzero(kept))
        return Block(scored, merged, exact.rejections, exact.blank, exact.invalid_utf8)

    def _records(self, window: Window, grid: Grid, asked: Array, line_of: Callable[[int], int]) -> list[Record]:
        found: list[Record] = []
        lines = map(line_of, asked.tolist())
        for start, following, line in zip(grid.starts[asked].tolist(), grid.nexts[asked].tolist(), lines, strict=True):
            framer = Framer(self._header.separator, self._limit, line)
            found += [item for item in framer.feed(window.text[start:following]) if isinstance(item, Record)]
        return found


def _line_of(window: Window, grid: Grid) -> Callable[[int], int]:
    """Gives the physical line of a record, by its index."""
    if window.quotes is None:
        return lambda index: index + window.line

    @cache
    def ends() -> Array:  # looked for when it is first asked, and once: refused rows ask one by one
        return np.flatnonzero(grid.text == LF)

    return lambda index: int(np.searchsorted(ends(), grid.starts[index])) + window.line
