"""The framing of a CSV: separator, header, its cells as texts, and at which line each record begins.

RFC 4180, strictly: a table that two readers could frame differently is refused rather than guessed at. What a text
means is not its business.
"""

import csv
import io
import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from functions.inference.cells import column_name
from training.endings import Mistake

SEPARATORS = (",", ";", "\t")
UTF16 = (b"\xff\xfe", b"\xfe\xff")
AT_ONCE = 4096  # records
MOST_SHARED = 1000  # texts of a column that are kept once, however often they stand

Choose = Callable[[list[str]], Sequence[int]]
"""Which columns to keep, by their places, given all names."""


@dataclass(frozen=True, slots=True)
class Framing:
    """`names`: the header's, trimmed. `lines`: the physical line (the header's is 1 or later) each record begins at.

    `columns`: the kept ones, in the order they were chosen, each with a text for every record.
    """

    separator: str
    names: list[str]
    lines: "array[int]"
    columns: list[list[str]]


def every(names: list[str]) -> Sequence[int]:
    return range(len(names))


def frame(body: bytes, wanted: str, separator: str | None = None, choose: Choose = every) -> Framing:
    """Frames it all, UTF-8 with or without a mark. The separator is the one under which the header holds `wanted`.

    Raises Mistake, naming the line, for an empty text, ragged records, bad quotes, line ends of CR alone, other
    encodings.
    """
    if body.startswith(UTF16) or b"\0" in body:
        raise Mistake("the file is UTF-16, or binary; save it as CSV in UTF-8")
    try:
        return _frame(body, separator or _separator(body, wanted), choose)
    except UnicodeDecodeError:
        raise _not_utf8(body) from None


def _frame(body: bytes, separator: str, choose: Choose) -> Framing:
    names: list[str] = []
    lines = array("q")
    table = _Columns()
    for line, cells in _records(body, separator):
        if not names:
            names = [column_name(cell) for cell in cells]
            table = _Columns(choose(names))
        elif len(cells) != len(names):
            raise Mistake(
                f"line {line} has {_count(len(cells), 'cell')}, the header has {len(names)}; "
                "mend the line, or name the separator with --separator"
            )
        else:
            lines.append(line)
            table.add(cells)
    if not names:
        raise Mistake("the file is empty; give a CSV with a header and rows")
    if not lines:
        raise Mistake("the file has a header and no rows; there is nothing to learn from")
    return Framing(separator, names, lines, table.columns())


class _Columns:
    """Records turned into columns, some at once."""

    def __init__(self, places: Sequence[int] = ()) -> None:
        self._places = places
        self._waiting: list[list[str]] = []
        self._columns: list[list[str]] = [[] for _ in places]
        self._shared: list[dict[str, str]] = [{} for _ in places]

    def add(self, cells: list[str]) -> None:
        self._waiting.append(cells)
        if len(self._waiting) == AT_ONCE:
            self._turn()

    def columns(self) -> list[list[str]]:
        self._turn()
        return self._columns

    def _turn(self) -> None:
        for place, column, shared in zip(self._places, self._columns, self._shared, strict=True):
            texts = [cells[place] for cells in self._waiting]
            if len(shared) < MOST_SHARED:
                texts = [shared.setdefault(text, text) for text in texts]
            column += texts
        self._waiting = []


def _records(body: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    stray = _Stray(separator) if body.count(b"\r") > body.count(b"\r\n") else None
    lines = _lines(body)
    reader = csv.reader(lines if stray is None else stray.passing(lines), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if stray is not None:
                stray.refuse()
            if cells:  # a blank line is no record
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Mistake(f"line {line}: {_said(str(error))}") from None


def _lines(body: bytes) -> Iterator[str]:
    """Lines end at LF alone, so that Python's reader sees every CR."""
    return io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="\n")


class _Stray:
    """Finds a CR outside quotes that ends no line, where Python's reader takes it for a line end and scoring does not:
    before another CR, and at the end of the file.
    """

    def __init__(self, separator: str) -> None:
        other = re.escape(separator)
        self._cell = re.compile(rf'(?:"(?:[^"]|"")*"|([^{other}]*?))(?:{other}|\r?\n\Z|\Z)')
        self._record: list[str] = []

    def passing(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._record.append(line)
            yield line

    def refuse(self) -> None:
        """Looks at the record that was just read. Raises csv.Error."""
        record, self._record = "".join(self._record), []
        for cell in self._cell.finditer(record):
            if "\r" in (cell[1] or ""):
                raise csv.Error("new-line character")


def _said(error: str) -> str:
    if "new-line character" in error:
        return "a line ends in CR alone; save the file with LF or CRLF line ends"
    if "unexpected end of data" in error:
        return "a quote is opened here and never closed; close it"
    if "expected after" in error:
        return "there is text after a closing quote; write quotes inside a quoted cell twice"
    if "field larger than" in error:
        return "a cell is longer than 128 KiB; is a quote missing?"
    return error


def _not_utf8(body: bytes) -> Mistake:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        return Mistake(f"line {line} is not UTF-8 (byte 0x{body[error.start]:02x}); save the file as UTF-8")
    return Mistake("the file is not UTF-8; save it as UTF-8")


def _separator(body: bytes, wanted: str) -> str:
    """Most columns win; among the separators under which the wanted column is there, if there are any."""

    def fits(separator: str) -> tuple[bool, int]:
        names = _header(body, separator)
        return wanted in names, len(names)

    return max(SEPARATORS, key=fits)


def _header(body: bytes, separator: str) -> list[str]:
    reader = csv.reader(_lines(body), delimiter=separator)
    try:
        return next(([column_name(cell) for cell in cells] for cells in reader if cells), [])
    except csv.Error:
        return []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
