"""The framing of a CSV text: separator, header, and at which line each record begins. It reads no cell.

RFC 4180, strictly: a table that two readers could frame differently is refused rather than guessed at.
"""

import csv
import io
from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from functions.inference.cells import column_name
from training.endings import Mistake

SEPARATORS = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Framing:
    """`names`: the header's, trimmed. `lines`: the physical line (the header's is 1 or later) each record begins at."""

    separator: str
    names: list[str]
    lines: "array[int]"


def frame(text: str, wanted: str, separator: str | None = None) -> Framing:
    """Frames the whole text. The separator is the one under which the header holds the column `wanted`.

    Raises Mistake, naming the line, for an empty text, ragged records, bad quotes and line ends of CR alone.
    """
    chosen = separator or _separator(text, wanted)
    names: list[str] = []
    lines = array("q")
    for line, cells in _records(text, chosen):
        if not names:
            names = [column_name(cell) for cell in cells]
        elif len(cells) != len(names):
            raise Mistake(
                f"line {line} has {_count(len(cells), 'cell')}, the header has {len(names)}; "
                "mend the line, or name the separator with --separator"
            )
        else:
            lines.append(line)
    if not names:
        raise Mistake("the file is empty; give a CSV with a header and rows")
    if not lines:
        raise Mistake("the file has a header and no rows; there is nothing to learn from")
    return Framing(chosen, names, lines)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells:  # a blank line is no record
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Mistake(f"line {line}: {_said(str(error))}") from None


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


def _separator(text: str, wanted: str) -> str:
    """Most columns win; among the separators under which the wanted column is there, if there are any."""

    def fits(separator: str) -> tuple[bool, int]:
        names = _header(text, separator)
        return wanted in names, len(names)

    return max(SEPARATORS, key=fits)


def _header(text: str, separator: str) -> list[str]:
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator)
    try:
        return next(([column_name(cell) for cell in cells] for cells in reader if cells), [])
    except csv.Error:
        return []


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
