"""Turns a block of records into one typed column for each feature, and says which rows cannot be scored and why.

This is the exact, plain path: it reads cell by cell through the one grammar. It predicts nothing and writes nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from functions.inference import cells as grammar
from functions.inference.schema import expected_of
from functions.scoring import reasons
from functions.scoring.framing import Record
from functions.scoring.header import Header
from functions.signature import Cell, Feature, Signature

if TYPE_CHECKING:
    from functions.inference.engine import Column

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

LONGEST_FOUND = 80


class Rejection(NamedTuple):
    record: Record
    reason: str
    message: str


@dataclass(slots=True)
class Rows:
    """m records to be scored: their bytes, line ends with them, where each body stops and where the next starts.

    line_of: the physical line of one of them, by its index.
    """

    text: bytes
    stops: Array
    nexts: Array
    line_of: Callable[[int], int]

    def __len__(self) -> int:
        return len(self.stops)

    def record(self, index: int) -> Record:
        start = int(self.nexts[index - 1]) if index else 0
        stop = int(self.stops[index])
        return Record(self.line_of(index), self.text[start:stop], self.text[stop : int(self.nexts[index])])

    def only(self, kept: Array) -> "Rows":
        """Those of these indices, which ascend."""
        starts = np.concatenate(([0], self.nexts[:-1]))[kept]
        bodies, sizes = self.stops[kept] - starts, self.nexts[kept] - starts
        nexts = np.cumsum(sizes)
        first = np.flatnonzero(np.diff(kept, prepend=-2) != 1)  # of each run of neighbours
        last = np.append(first[1:], len(kept))[: len(first)] - 1
        runs = zip(starts[first].tolist(), self.nexts[kept[last]].tolist(), strict=True)
        line_of = self.line_of
        return Rows(
            b"".join([self.text[start:stop] for start, stop in runs]),
            nexts - sizes + bodies,
            nexts,
            lambda index: line_of(int(kept[index])),
        )


@dataclass(slots=True)
class Block:
    """One block of records, sorted out.

    rows: the m records to be scored, in order. columns: m values for each feature. rejections: the others.
    blank: lines that are no records. invalid_utf8: cells beside the features that are no UTF-8, in scored rows.
    """

    rows: Rows
    columns: "list[Column]"
    rejections: list[Rejection] = field(default_factory=list)
    blank: int = 0
    invalid_utf8: int = 0


class BlockReader:
    """Reads records under one header."""

    def __init__(self, header: Header, signature: Signature, limit: int) -> None:
        self._separator = header.separator
        self._width = header.width
        self._limit = limit
        self._features = list(zip(signature.features, header.positions, strict=True))

    def read(self, records: Sequence[Record]) -> Block:
        """n records become at most n rows; the rest are rejected or blank. Nothing is lost."""
        scored: list[Record] = []
        values: list[list[Cell]] = []
        rejections: list[Rejection] = []
        blank = invalid_utf8 = 0
        for record in records:
            if not record.body and self._width > 1 and not record.fault:
                blank += 1
                continue
            cells = record.cells if record.cells is not None else record.body.split(self._separator)
            problem = self._framed(record, cells)
            row: list[Cell] = []
            if problem is None:
                problem = self._values(cells, row)
            if problem is None:
                scored.append(record)
                values.append(row)
                if not record.body.isascii():
                    invalid_utf8 += sum(map(_invalid, cells))
            else:
                rejections.append(Rejection(record, *problem))
        columns = [
            column([row[position] for row in values], feature) for position, (feature, _) in enumerate(self._features)
        ]
        return Block(_rows(scored), columns, rejections, blank, invalid_utf8)

    def _framed(self, record: Record, cells: Sequence[bytes]) -> tuple[str, str] | None:
        """What is wrong with the record as CSV: reason and message."""
        if record.fault == reasons.RECORD_TOO_LONG:
            return record.fault, f"the record is longer than {self._limit} bytes; see BATCH_MAX_RECORD_BYTES"
        if record.fault is not None:
            return record.fault, _FAULTS[record.fault]
        if len(cells) != self._width:
            noun = "cell" if len(cells) == 1 else "cells"
            return reasons.RAGGED_ROW, f"found {len(cells)} {noun}, expected {self._width}"
        return None

    def _values(self, cells: Sequence[bytes], row: list[Cell]) -> tuple[str, str] | None:
        """Fills `row`; gives reason and message of the first cell that is no value."""
        for feature, position in self._features:
            try:
                value = grammar.read(cells[position].decode(), feature.dtype)
            except UnicodeDecodeError as error:
                byte = cells[position][error.start]
                return reasons.INVALID_UTF8, f"column {feature.name!r}: byte 0x{byte:02x} is no UTF-8"
            except grammar.BadCell as error:
                return error.reason, f"column {feature.name!r}: found {_shown(cells[position])}, expected {error}"
            if value is None and not feature.nullable:
                return (
                    reasons.MISSING_VALUE,
                    f"column {feature.name!r}: found {_shown(cells[position])}, expected {expected_of(feature)}; "
                    "training saw no missing value here",
                )
            row.append(value)
        return None


def _rows(records: list[Record]) -> Rows:
    text = b"".join([part for record in records for part in (record.body, record.end)])
    nexts = np.fromiter(accumulate(len(record.body) + len(record.end) for record in records), np.int64, len(records))
    ends = np.fromiter((len(record.end) for record in records), np.int64, len(records))
    return Rows(text, nexts - ends, nexts, lambda index: records[index].line)


_FAULTS = {
    reasons.UNCLOSED_QUOTE: "a quote opens here and does not close; the record is taken to end with its first line",
    reasons.TEXT_AFTER_QUOTE: "there is text after a closing quote; double the quotes inside a quoted cell",
    reasons.BARE_CR: "there is a carriage return outside quotes that ends no line",
}


def column(values: Sequence[Cell], feature: Feature) -> "Column":
    """n values as the engine takes them: see `functions.inference.engine.Column`."""
    if feature.dtype == "string":
        texts = np.empty(len(values), dtype=object)
        texts[:] = values
        return texts
    if feature.dtype == "bool" and not feature.nullable:
        return np.array(values, dtype=np.bool_)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _invalid(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return True
    return False


def _shown(cell: bytes) -> str:
    text = cell.decode()
    if not text.strip(" \t"):
        return "nothing"
    return repr(text if len(text) <= LONGEST_FOUND else text[: LONGEST_FOUND - 1] + "…")
