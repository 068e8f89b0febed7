"""Finds records in bytes that come in blocks, by RFC 4180 and docs/decided-cases.md; it knows no columns and no model.

Where the blocks are cut changes nothing: a record is decided only when its line end, the record limit or the end of
the file was seen. What is read and not yet decided never grows beyond the limit and one block.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from functions.scoring import reasons

QUOTE: Final = 0x22
LF: Final = 0x0A
CR: Final = 0x0D


class Record(NamedTuple):
    """One record, its bytes as they came.

    line: physical line where it starts, the first is 1. body: without its line end; end: b"\\n", b"\\r\\n" or b"".
    cells: unquoted cells where there were quotes, else None (split the body). fault: reason code, or None.
    whole: False where more of the body follows as `Rest`s (a record too long to hold).
    """

    line: int
    body: bytes
    end: bytes
    cells: list[bytes] | None = None
    fault: str | None = None
    whole: bool = True


class Rest(NamedTuple):
    """More of the body of the record before; `last` closes it."""

    body: bytes
    last: bool


class _Scanned(NamedTuple):
    cells: list[bytes]
    stop: int  # where the body stops
    next: int  # where the next record starts
    fault: str | None


class _Inside(NamedTuple):
    """What is left of the last unclosed record, so that the next need not be read to the limit as well.

    It was inside quotes at every line end up to `line_end`, and still is at `here`. Whoever is inside quotes at one of
    these line ends goes the same way from there. Without this a file in which every line opens a quote takes minutes.
    """

    line_end: int
    here: int


class _Unclosed(Exception):
    """The bytes stop inside quotes."""


class _Undecided(Exception):
    """The bytes stop outside quotes, before the record does."""


class Framer:
    """Frames what it is fed. `separator` is one byte; `limit` is the most bytes of a record, line end not counted."""

    def __init__(self, separator: bytes, limit: int, line: int = 1, rest: bytes = b"") -> None:
        self._separator = separator
        self._limit = limit
        self._line = line
        self._rest = rest
        self._draining = False
        self._inside = _Inside(-1, 0)

    @property
    def line(self) -> int:
        """The physical line where what is undecided starts."""
        return self._line

    @property
    def rest(self) -> bytes | None:
        """What is undecided, if another framer could go on from there: it is the start of a record, and no more."""
        return None if self._draining or self._inside.here > 0 else self._rest

    def feed(self, data: bytes) -> list[Record | Rest]:
        """The records that are decided now."""
        self._rest += data
        return list(self._decided(final=False))

    def finish(self) -> list[Record | Rest]:
        """The records that were waiting for more; there is no more."""
        return list(self._decided(final=True))

    def first(self, data: bytes, *, final: bool) -> tuple[Record, int] | None:
        """The record `data` starts with and where the next one starts; None while that is undecided."""
        found = self._at(data, 0, final)
        return None if found is None else (found[0], found[1])

    def _decided(self, *, final: bool) -> Iterator[Record | Rest]:
        data = self._rest
        position = 0
        quote = data.find(b'"')
        while position < len(data) or (final and self._draining):
            if self._draining:
                rest, position = self._drain(data, position, final)
                yield rest
                if not rest.last:
                    break
                continue
            if 0 <= quote < position:
                quote = data.find(b'"', position)
            plain = data.rfind(b"\n", position, quote if quote >= 0 else len(data)) + 1
            if plain > position:
                records = self._plain(data[position:plain])
                yield from records
                position += sum(len(record.body) + len(record.end) for record in records)
                if position == plain:
                    continue
            found = self._at(data, position, final)
            if found is None:
                break
            record, following = found
            yield record
            self._line += data.count(b"\n", position, following)
            position = following
        self._rest = data[position:]
        self._inside = _Inside(max(self._inside.line_end - position, -1), self._inside.here - position)

    def _plain(self, lines: bytes) -> list[Record]:
        """Whole lines without quotes, up to the first that is too long."""
        records: list[Record] = []
        returns = b"\r" in lines
        for number, line in enumerate(lines[:-1].split(b"\n"), self._line):
            body, end, fault = line, b"\n", None
            if returns and b"\r" in line:
                if line.endswith(b"\r"):
                    body, end = line[:-1], b"\r\n"
                fault = reasons.BARE_CR if b"\r" in body else None
            if len(body) > self._limit:
                break
            records.append(Record(number, body, end, None, fault))
        self._line += len(records)
        return records

    def _at(self, data: bytes, start: int, final: bool) -> tuple[Record, int] | None:
        """The record at `start` and where the next starts; None while undecided. May start draining."""
        stop = min(len(data), start + self._limit + 2)
        full = stop == start + self._limit + 2
        ends = final and stop == len(data)
        fault = reasons.RECORD_TOO_LONG
        try:
            found = self._scan(data, start, stop, ends, self._inside)
            if found.stop - start <= self._limit:
                body = data[start : found.stop]
                cells = found.cells if b'"' in body else None
                return Record(self._line, body, data[found.stop : found.next], cells, found.fault), found.next
        except _Unclosed:
            if not full and not ends:
                return None
            fault = reasons.UNCLOSED_QUOTE
            self._inside = _Inside(data.rfind(b"\n", start, stop), stop)
        except _Undecided:
            if not full:
                return None
        self._draining = True
        held = start if fault == reasons.UNCLOSED_QUOTE else start + self._limit
        return Record(self._line, data[start:held], b"", None, fault, whole=False), held

    def _scan(self, data: bytes, start: int, stop: int, ends: bool, inside: "_Inside | None" = None) -> _Scanned:
        """Cell by cell from `start`, looking at nothing from `stop` on; `ends` where the file ends there."""
        cells: list[bytes] = []
        fault: str | None = None
        leapt = False
        position = start
        while True:
            quoted = position < stop and data[position] == QUOTE
            after = position
            if quoted:
                leap = inside is not None and _runs_over(data, position + 1, inside.line_end)
                leapt = leapt or leap
                close = _closing(data, inside.here if inside and leap else position + 1, stop)
                after = close + 1
                if after == stop and not ends:
                    raise _Undecided  # the quote may be the first of two
                if not leapt:
                    cells.append(data[position + 1 : close].replace(b'""', b'"'))
            edge = self._edge(data, after, stop, ends)
            at_line_end = edge < stop and data[edge] == LF
            cut = edge - 1 if at_line_end and edge > after and data[edge - 1] == CR else edge
            if not quoted:
                cells.append(data[position:cut])
            if cut > after:
                fault = fault or _fault(data[after:cut], quoted)
            if leapt and (at_line_end or edge == stop):  # there are cells after all, so they are read
                return self._scan(data, start, stop, ends)
            if at_line_end:
                return _Scanned(cells, cut, edge + 1, fault)
            if edge == stop:
                return _Scanned(cells, stop, stop, fault)
            position = edge + 1

    def _edge(self, data: bytes, position: int, stop: int, ends: bool) -> int:
        """Where the cell stops: at a separator, a line end, or the end of the file."""
        line_end = data.find(b"\n", position, stop)
        separator = data.find(self._separator, position, line_end if line_end >= 0 else stop)
        if separator >= 0:
            return separator
        if line_end >= 0:
            return line_end
        if not ends:
            raise _Undecided
        return stop

    def _drain(self, data: bytes, position: int, final: bool) -> tuple[Rest, int]:
        """Gives away a record too long to hold, up to its first line end from here."""
        line_end = data.find(b"\n", position)
        if line_end < 0:
            held = len(data) - 1 if data.endswith(b"\r") and not final else len(data)  # half a CRLF, perhaps
            held = max(held, position)
            self._draining = not final
            return Rest(data[position:held], final), held
        cut = line_end - 1 if line_end > position and data[line_end - 1] == CR else line_end
        self._draining = False
        self._line += 1
        return Rest(data[position:cut], True), line_end + 1


def _runs_over(data: bytes, position: int, last: int) -> bool:
    """Whether a quote that opened before `position` is still open at the next line end, one up to `last`."""
    line_end = data.find(b"\n", position, last + 1)
    if line_end < 0:
        return False
    try:
        _closing(data, position, line_end)
    except _Unclosed:
        return True
    return False


def _closing(data: bytes, position: int, stop: int) -> int:
    """Where the quote that opened before `position` closes; two in a row are a character."""
    while (quote := data.find(b'"', position, stop)) >= 0:
        if quote + 1 < stop and data[quote + 1] == QUOTE:
            position = quote + 2
        else:
            return quote
    raise _Unclosed


def _fault(text: bytes, after_quote: bool) -> str | None:
    """What is wrong with the text of a cell outside quotes, if anything."""
    if after_quote:
        return reasons.BARE_CR if text.startswith(b"\r") else reasons.TEXT_AFTER_QUOTE
    return reasons.BARE_CR if b"\r" in text else None
