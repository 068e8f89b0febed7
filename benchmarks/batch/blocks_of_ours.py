"""The two halves of scoring as the batch door does them, cut out of its loop. It times nothing."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.batch.tables import IRIS
from functions.scoring.appended import Appender
from functions.scoring.columns import BlockReader
from functions.scoring.framing import LF, Framer, Record
from functions.scoring.header import Header, read_header
from functions.scoring.overlapping import in_order, processors
from functions.scoring.splicing import spliced
from functions.scoring.window_reader import WindowReader
from functions.scoring.windows import Cutter, Window, blocks
from functions.signature import Feature, Signature

LIMIT = 1024 * 1024
SIGNATURE = Signature(
    "classification",
    [Feature(name, "float64", False) for name in IRIS],
    "species",
    ["setosa", "versicolor", "virginica"],
)


def parse(block: bytes) -> Any:
    """Window by window, as many at once as there are processors."""
    header = _header(block)
    reader = WindowReader(header, SIGNATURE, LIMIT)
    with in_order(_windows(block, header), reader.read, processors()) as read:
        return np.concatenate([np.column_stack(window.columns) for window in read])


def parse_cell_by_cell(block: bytes) -> Any:
    """The exact path, which files with odd quotes take."""
    header = _header(block)
    framed = Framer(header.separator, LIMIT, header.line).feed(block[header.size :])
    records = [record for record in framed if isinstance(record, Record)]
    return np.column_stack(BlockReader(header, SIGNATURE, LIMIT).read(records).columns)


def append(block: bytes, classes: Any) -> bytes:
    """Window by window, as many at once as there are processors."""
    header = _header(block)
    appender = Appender(SIGNATURE, header.separator, probabilities=False)

    def scored(window: tuple[bytes, Any]) -> Any:
        text, own = window
        whole: Any = text
        stops: Any = np.flatnonzero(np.frombuffer(text, np.uint8) == LF)
        for cells in appender.cells(own, None, None):
            whole, stops = spliced(whole, stops, cells)
        return whole

    with in_order(_with_classes(block, header, classes), scored, processors()) as appended:
        return b"".join([header.body, header.appended, header.end, *appended])


def _windows(block: bytes, header: Header) -> Iterator[Window]:
    cutter = Cutter(header.separator, LIMIT, header.line)
    for piece, _ in blocks([(block[header.size :], 0)], 0):
        window = cutter.feed(piece)
        if isinstance(window, Window) and window.text:
            yield window


def _with_classes(block: bytes, header: Header, classes: Any) -> Iterator[tuple[bytes, Any]]:
    at = 0
    for window in _windows(block, header):
        rows = window.text.count(b"\n")
        yield window.text, classes[at : at + rows]
        at += rows


def _header(block: bytes) -> Header:
    found = read_header(block, SIGNATURE, final=True, limit=LIMIT, separator=None, probabilities=False)
    if found is None:
        raise ValueError("the block has no header")
    return found
