"""For any CSV: nothing is lost, nothing is doubled, nothing is changed, however the bytes come in."""

import csv
import io
from contextlib import suppress
from itertools import pairwise

from hypothesis import example, given, settings
from hypothesis import strategies as st

from functions.errors import DropRefused
from functions.scoring.framing import Framer, Record, Rest
from functions.scoring.loop import Options
from tests.unit.scoring.harness import score

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
LIMIT = 200
OPTIONS = Options(LIMIT, None, probabilities=False)

cell = st.sampled_from(
    ["5.1", "0.2", "", "NA", "x", '"5.1"', '"a,b"', '"a\nb"', '"a""b"', '"open', '"a"b', "é", "\ufeff"]
)
row = st.lists(cell, min_size=1, max_size=6).map(",".join)
good = st.just("5.1,3.5,1.4,0.2,note")
ends = st.sampled_from(["\n", "\r\n", "\n\n", "\n"])
rows = st.lists(st.tuples(good | row, ends), max_size=12).map(lambda pairs: "".join(one + end for one, end in pairs))
header = st.permutations([*NAMES, "note"]).map(",".join)


def framed(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every record's bytes and its line end, the header first."""
    framer = Framer(b",", LIMIT)
    found: list[tuple[bytes, bytes]] = []
    items: list[Record | Rest] = [*framer.feed(data), *framer.finish()]
    for item in items:
        if isinstance(item, Record):
            found.append((item.body, item.end))
        else:
            found[-1] = (found[-1][0] + item.body, b"")
    return found


@given(header, rows, st.booleans())
@settings(max_examples=150, deadline=None)
@example("sepal_length,sepal_width,petal_length,petal_width,note", '"open\n' + "5.1,3.5,1.4,0.2,a\n" * 30, True)
def test_scored_and_rejected_rows_are_the_input(names: str, body: str, cut: bool) -> None:
    data = f"{names}\n{body}".encode()
    data = data[:-1] if cut else data
    found = score(data, options=OPTIONS)

    records = [one for one in framed(data)[1:] if one[0]]
    turned_back = list(csv.DictReader(io.StringIO((found.rejected or b"").decode(), newline=""), strict=True))
    assert found.tally.rows.input == len(records)
    assert found.tally.rows.scored + found.tally.rows.rejected == len(records)
    assert found.tally.rows.rejected == len(turned_back) == found.tally.reasons.total()

    left = list(records)
    for one in turned_back:  # every rejected record is one of the input, in the input's order
        body_bytes = one["record"].encode()
        index = next(index for index, record in enumerate(left) if record[0] == body_bytes)
        del left[index]
    scored = framed(found.scored)
    assert scored[0] == (f"{names},prediction".encode(), b"" if data == names.encode() else b"\n")
    assert len(scored) - 1 == found.tally.rows.scored
    stripped = [(record.rpartition(b",")[0], end) for record, end in scored[1:]]
    assert sorted(stripped) == sorted(left)


@given(header, rows, st.lists(st.integers(0, 400), max_size=8))
@settings(max_examples=80, deadline=None)
def test_how_the_bytes_come_in_changes_nothing(names: str, body: str, cuts: list[int]) -> None:
    data = f"{names}\r\n{body}".encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(edges)]
    whole, cut = score(data, options=OPTIONS), score(pieces, options=OPTIONS)
    assert (cut.scored, cut.rejected, cut.tally.rows) == (whole.scored, whole.rejected, whole.tally.rows)


def test_every_boundary_between_two_blocks_gives_the_same_result() -> None:
    data = (
        b'\xef\xbb\xbf\n"petal_width",note,sepal_length,sepal_width,petal_length\r\n'
        b'0.2,"a ""b""\r\nc",5.1,3.5,1.4\r\n\r\n2.5,caf\xe9,6.3,2.5,6.0\n"0.2"x,,5.1,3.5,1.4\n'
        b'"open,5.1,3.5,1.4\n1.8,\xc3\xa9,5.9,3.0,5.1'
    )
    whole = score(data)
    assert whole.tally.rows.scored == 3
    for cut in range(len(data) + 1):
        found = score([data[:cut], data[cut:]])
        assert (found.scored, found.rejected) == (whole.scored, whole.rejected)
    one_by_one = score([data[n : n + 1] for n in range(len(data))])
    assert (one_by_one.scored, one_by_one.rejected) == (whole.scored, whole.rejected)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
@example(b"\xff\xfe")
@example(b"\x1f\x8b\x08")
@example(b"sepal_length,sepal_width,petal_length,petal_width\n\x00\xff,1,1,1\n")
def test_any_bytes_at_all_are_scored_or_refused(data: bytes) -> None:
    with suppress(DropRefused):
        rows = score(data).tally.rows
        assert rows.input == rows.scored + rows.rejected


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_at_all_under_a_good_header_are_accounted_for(data: bytes) -> None:
    found = score(b"sepal_length,sepal_width,petal_length,petal_width\n" + data)
    rows = found.tally.rows
    assert rows.input == rows.scored + rows.rejected
    framer = Framer(b",", 1024 * 1024)
    records = [one for one in [*framer.feed(data), *framer.finish()] if isinstance(one, Record)]
    assert rows.input + rows.blank == len(records)
