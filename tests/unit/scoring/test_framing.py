"""Framing, against a second, slow reading of the same rules that looks at one byte after the other."""

import tracemalloc
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.scoring.framing import Framer, Record, Rest
from functions.scoring.header import read_header
from functions.signature import Feature, Signature

LIMIT = 12


class Framed(NamedTuple):
    line: int
    body: bytes
    cells: list[bytes] | None
    fault: str | None


def frame(data: bytes, cuts: list[int], separator: bytes = b",", limit: int = LIMIT) -> list[Framed]:
    """What the framer makes of the data when it comes in pieces, each record put together again."""
    framer = Framer(separator, limit)
    items: list[Record | Rest] = []
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    for start, stop in pairwise(edges):
        items += framer.feed(data[start:stop])
    items += framer.finish()
    found: list[Framed] = []
    is_open = False
    for item in items:
        if isinstance(item, Record):
            assert not is_open
            cells = item.cells if item.cells is not None else item.body.split(separator)
            found.append(Framed(item.line, item.body, None if item.fault else cells, item.fault))
            is_open = not item.whole
        else:
            assert is_open
            found[-1] = found[-1]._replace(body=found[-1].body + item.body)
            is_open = not item.last
    assert not is_open
    return found


def slowly(data: bytes, separator: bytes = b",", limit: int = LIMIT) -> list[Framed]:
    found: list[Framed] = []
    start, line = 0, 1
    while start < len(data):
        one, following = _one(data, start, line, separator[0], limit)
        found.append(one)
        line += data.count(b"\n", start, following)
        start = following
    return found


def _one(  # noqa: C901 # slow and in one piece, so that it can be held against RFC 4180 line by line
    data: bytes, start: int, line: int, separator: int, limit: int
) -> tuple[Framed, int]:
    stop = min(len(data), start + limit + 2)
    cells: list[bytearray] = [bytearray()]
    state, fault, position = "start", None, start
    while position < stop:
        byte = data[position]
        pair = data[position : position + 2]
        if state == "quoted":
            if byte == 0x22:
                if pair == b'""' and position + 1 < stop:
                    cells[-1].append(0x22)
                    position += 1
                else:
                    state = "closed"
            else:
                cells[-1].append(byte)
        elif byte == 0x0A:
            return _whole(data, start, position, position + 1, line, cells, fault, limit)
        elif pair == b"\r\n" and position + 1 < stop:
            return _whole(data, start, position, position + 2, line, cells, fault, limit)
        elif byte == separator:
            cells.append(bytearray())
            state = "start"
        elif byte == 0x22 and state == "start":
            state = "quoted"
        elif state in ("closed", "junk"):
            if state == "closed":
                fault = fault or ("bare_cr" if byte == 0x0D else "text_after_quote")
            state = "junk"
        else:
            if byte == 0x0D:
                fault = fault or "bare_cr"
            cells[-1].append(byte)
            state = "plain"
        position += 1
    if state == "quoted":
        return _through_first_line_end(data, start, start, line, "unclosed_quote")
    if stop == len(data):
        return _whole(data, start, stop, stop, line, cells, fault, limit)
    return _through_first_line_end(data, start, start + limit, line, "record_too_long")


def _whole(
    data: bytes, start: int, stop: int, following: int, line: int, cells: list[bytearray], fault: str | None, limit: int
) -> tuple[Framed, int]:
    if stop - start > limit:
        return _through_first_line_end(data, start, start + limit, line, "record_too_long")
    return Framed(line, data[start:stop], None if fault else [bytes(cell) for cell in cells], fault), following


def _through_first_line_end(data: bytes, start: int, seek: int, line: int, fault: str) -> tuple[Framed, int]:
    line_end = data.find(b"\n", seek)
    if line_end < 0:
        return Framed(line, data[start:], None, fault), len(data)
    stop = line_end - 1 if line_end > seek and data[line_end - 1] == 0x0D else line_end
    return Framed(line, data[start:stop], None, fault), line_end + 1


odd_bytes = st.lists(st.sampled_from([b"a", b"b", b",", b'"', b'"', b'""', b"\n", b"\r\n", b"\r", b"longer text"])).map(
    b"".join
)


@given(odd_bytes, st.lists(st.integers(0, 80), max_size=6))
@settings(max_examples=700, deadline=None)
def test_any_bytes_cut_anywhere_are_framed_as_byte_by_byte(data: bytes, cuts: list[int]) -> None:
    assert frame(data, cuts) == slowly(data)


@given(
    st.lists(st.sampled_from([b'"', b'"', b",", b"\n", b'""', b"\r\n", b"a"]), max_size=60).map(b"".join),
    st.lists(st.integers(0, 80), max_size=4),
    st.integers(1, 40),
)
@settings(max_examples=500)
def test_quotes_that_stay_open_over_many_lines_are_framed_as_byte_by_byte(
    data: bytes, cuts: list[int], limit: int
) -> None:
    assert frame(data, cuts, limit=limit) == slowly(data, limit=limit)


class Counting(Framer):
    """Counts how many cells are looked at."""

    looked = 0

    def _edge(self, data: bytes, position: int, stop: int, ends: bool) -> int:
        self.looked += 1
        return super()._edge(data, position, stop, ends)


def test_a_file_in_which_every_line_opens_a_quote_is_read_once_and_not_once_for_each_line() -> None:
    framer = Counting(b",", 65536)
    framer.feed(b'5.1,3"b,"x\n' * 1500)
    framer.finish()
    assert framer.looked < 1500 * 3 * 4  # lines, cells in each, and few looks at a cell


@given(odd_bytes)
@settings(deadline=None)
def test_one_byte_at_a_time_is_framed_as_all_at_once(data: bytes) -> None:
    assert frame(data, list(range(len(data)))) == frame(data, [])


@given(odd_bytes, st.lists(st.integers(0, 80), max_size=6), st.integers(1, 40))
@settings(deadline=None)
def test_no_byte_is_lost_but_line_ends(data: bytes, cuts: list[int], limit: int) -> None:
    records = frame(data, cuts, limit=limit)
    position = 0
    for record in records:
        assert data[position : position + len(record.body)] == record.body
        position += len(record.body)
        for end in (b"\r\n", b"\n", b""):
            if data.startswith(end, position):
                position += len(end)
                break
    assert position == len(data)


def good(line: int, *cells: bytes) -> Framed:
    return Framed(line, b",".join(cells), list(cells), None)


def bad(line: int, body: bytes, fault: str) -> Framed:
    return Framed(line, body, None, fault)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"a,b", [good(1, b"a", b"b")]),
        (b"a,b\n", [good(1, b"a", b"b")]),
        (b"a\r\nb\n", [good(1, b"a"), good(2, b"b")]),
        (b'"a\nb",c\nd\n', [Framed(1, b'"a\nb",c', [b"a\nb", b"c"], None), good(3, b"d")]),
        (b'a"b,c"\n', [good(1, b'a"b', b'c"')]),
        (b'"a""b"\n', [Framed(1, b'"a""b"', [b'a"b'], None)]),
        (b'"a"b\n', [bad(1, b'"a"b', "text_after_quote")]),
        (b'"a\nb\nc', [bad(1, b'"a', "unclosed_quote"), good(2, b"b"), good(3, b"c")]),
        (b'"a\n' + b"b\n" * 9, [bad(1, b'"a', "unclosed_quote"), *(good(line, b"b") for line in range(2, 11))]),
        (b"a\rb\n", [bad(1, b"a\rb", "bare_cr")]),
        (b"a\n\n\r\nb", [good(1, b"a"), good(2, b""), good(3, b""), good(4, b"b")]),
        (b"123456789012\n1\n", [good(1, b"123456789012"), good(2, b"1")]),
        (b"1234567890123\n1\n", [bad(1, b"1234567890123", "record_too_long"), good(2, b"1")]),
    ],
)
def test_the_decided_cases_are_framed_so(data: bytes, expected: list[Framed]) -> None:
    assert frame(data, []) == expected
    assert slowly(data) == expected


def test_a_record_without_end_is_passed_on_piece_by_piece() -> None:
    framer = Framer(b",", 10)
    kept = 0
    for _ in range(1000):
        framer.feed(b"x" * 100)
        kept = max(kept, len(framer._rest))
    assert kept <= 112


def test_blank_lines_before_a_header_take_no_memory_of_their_own() -> None:
    data = b"\n" * 1_000_000 + b"x\n1\n"
    signature = Signature("regression", [Feature("x", "float64", False)], "y", [])
    tracemalloc.start()
    try:
        found = read_header(data, signature, final=True, limit=1_000_000, separator=None, probabilities=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found is not None
    assert (found.body, found.blank) == (b"x", 1_000_000)
    assert peak < 1024 * 1024  # the rows behind the lines are copied, and they are few
