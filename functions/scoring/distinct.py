"""Reads cells whose texts repeat, categories and booleans: the one grammar is asked once for each different text."""

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from functions.inference import cells as grammar
from functions.signature import Cell, Feature

if TYPE_CHECKING:
    from functions.inference.engine import Column

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

MOST: Final = 10_000  # texts that are remembered
LONGEST: Final = 100  # bytes of one that is
BAD: Final = object()
"""In place of the value of a text that is none."""


class Distinct:
    """The values of one feature's texts. Memory does not grow with rows; windows may be read at the same time."""

    def __init__(self, feature: Feature) -> None:
        self._feature = feature
        self._known = _Known(feature)

    def read(self, text: bytes, starts: Array, stops: Array) -> "tuple[Column, Array]":
        """n cells, [start, stop) of `text`: n values as the engine takes them, and the indices of the bad ones."""
        known = self._known
        if len(known) > MOST:
            known = self._known = _Known(self._feature)
        cells = map(text.__getitem__, map(slice, starts.tolist(), stops.tolist()))
        values = list(map(known.__getitem__, cells))
        bad = [index for index, value in enumerate(values) if value is BAD] if known.some_are_bad else []
        for index in bad:
            values[index] = None
        return _column(values, self._feature), np.array(bad, dtype=np.int64)


class _Known(dict[bytes, Any]):
    """Each text's value, found when it is first asked for."""

    def __init__(self, feature: Feature) -> None:
        super().__init__()
        self._feature = feature
        self.some_are_bad = False

    def __missing__(self, cell: bytes) -> Any:
        value = read_cell(cell, self._feature)
        self.some_are_bad |= value is BAD
        if len(cell) <= LONGEST:
            self[cell] = value
        return value


def read_cell(cell: bytes, feature: Feature) -> Any:
    """The value of one cell, its quotes taken off, or BAD."""
    if b'"' in cell:  # doubled quotes: the exact reader has them as one
        return BAD
    try:
        value: Cell = grammar.read(cell.decode(), feature.dtype)
    except (UnicodeDecodeError, grammar.BadCell):
        return BAD
    return BAD if value is None and not feature.nullable else value


def _column(values: list[Any], feature: Feature) -> "Column":
    if feature.dtype == "string":
        texts = np.empty(len(values), dtype=object)
        texts[:] = values
        return texts
    if feature.nullable:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.array([bool(value) for value in values], dtype=np.bool_)
