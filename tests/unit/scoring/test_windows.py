"""A window scored at once gives what its records give one by one, for any file, wherever windows are cut."""

from contextlib import suppress
from functools import partial
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.errors import DropRefused
from functions.registry.memory import MemoryStore
from functions.scoring import windows
from functions.scoring.header import read_header
from functions.scoring.loop import BLOCK, Options, score_part
from functions.scoring.outlet import Outlet
from functions.scoring.pace import Pace
from functions.scoring.windows import Cutter, Window
from tests.unit.scoring.harness import Scored, score, served

LIMIT = 200
MODELS = {
    "iris": "sepal_length,sepal_width,petal_length,petal_width,note",
    "mixed": "note,age,city,member",
    "price": "area,note",
}
cells = (
    st.sampled_from(["5.1", "0.25", "3", "-1.5", "", "NA", " 6.2 ", "yes", "true", "0", "1", "Bern", "Zug", "é", "1e2"])
    | st.sampled_from(['"5.1"', '"Bern"', '""', '"a,b"', '"a\nb"', '"a\r\nb"', '"a""b"', '"1"', '"true"'])
    | st.sampled_from(['"open', '"a"b', 'a"b', "\udcff", "a\rb", "x" * 150, "12345.678901234567", "7" * 18])
    | st.floats(-1e100, 1e100).map(repr)
)
ends = st.sampled_from(["\n", "\n", "\r\n", "\n\n", "\r\n\r\n"])


def _lines(width: int) -> st.SearchStrategy[str]:
    row = st.lists(cells, min_size=width, max_size=width) | st.lists(cells, min_size=1, max_size=width + 2)
    return st.lists(st.tuples(row, ends), max_size=10).map(
        lambda rows: "".join(",".join(row) + end for row, end in rows)
    )


files = st.sampled_from(sorted(MODELS)).flatmap(
    lambda name: st.tuples(st.just(name), _lines(MODELS[name].count(",") + 1), st.sampled_from([",", ";", "\t"]))
)


def _file(name: str, body: str, separator: str) -> bytes:
    return f"{MODELS[name]}\n{body}".replace(",", separator).encode("utf-8", "surrogateescape")


def _told(found: Scored) -> tuple[object, ...]:
    tally = found.tally
    counts = tally.counts()
    return found.scored, found.rejected, tally.rows, tally.reasons, tally.invalid_utf8, counts.classes, counts.lines


def _exactly(self: Cutter, block: bytes) -> windows.Framed:
    return self._exactly(block)


@given(files, st.integers(20, 400), st.booleans())
@example(("iris", '5.1,3.5,1.4,0.2,"a\nb"\n6.3,2.5,6.0,1.9,\n', ","), 60, False)
@example(("iris", "5.1,3.5,1.4,0.2,\udcff\n6.3,2.5,6.0,1.9,é\n", ","), 400, False)
@example(("mixed", "n,30,Bern,true\nn,,Zug,\nn,x,Bern,true\n", ","), 400, True)
def test_at_once_is_as_one_by_one(file: tuple[str, str, str], block: int, probabilities: bool) -> None:
    data = _file(*file)
    options = Options(LIMIT, None, probabilities)
    with patch.object(windows, "BLOCK", block), suppress(DropRefused):
        at_once = score(data, file[0], options=options)
        with patch.object(Cutter, "feed", _exactly):
            one_by_one = score(data, file[0], options=options)
        assert _told(at_once) == _told(one_by_one)


def test_ordinary_files_are_cut_as_a_whole() -> None:
    body = b'5.1,3.5,1.4,0.2,"a ""quoted""\r\nnote"\r\n' * 40_000
    cutter = Cutter(b",", 1024 * 1024, 2)
    found = [cutter.feed(body[start : start + BLOCK]) for start in range(0, len(body), BLOCK)]
    assert all(isinstance(window, Window) for window in found)
    assert b"".join(window.text for window in found if isinstance(window, Window)) == body
    assert cutter.finish().records == []
    assert cutter.line == 2 + 80_000


@pytest.mark.parametrize("note", [b"plain", b'"two\nlines"'])
@pytest.mark.parametrize("probabilities", [False, True])
def test_parts_that_end_with_windows_give_the_bytes_of_the_whole(note: bytes, probabilities: bool) -> None:
    rows = [b"%d.%d,3.5,%d.4,0.2,%s\n" % (n % 8, n % 10, n % 7, note) for n in range(60_000)]
    rows[50_000] = b"?,3.5,1.4,0.2,\n"
    data = MODELS["iris"].encode() + b"\n" + b"".join(rows)
    options = Options(1024 * 1024, None, probabilities)
    whole = score(data, options=options)
    header = read_header(
        data[:100], served("iris").signature, final=False, limit=1000, separator=None, probabilities=probabilities
    )
    assert header is not None
    last = b"\n" if note == b"plain" else b'"\n'
    cuts = [header.size, *(data.rfind(last, 0, edge) + len(last) for edge in range(BLOCK, len(data), BLOCK))]
    parts: list[bytes] = [header.body + header.appended + header.end]
    lines = header.line
    for start, stop in zip(cuts, [*cuts[1:], len(data)], strict=True):
        store = MemoryStore()
        scored, rejected = Outlet(partial(store.writer, "s")), Outlet(partial(store.writer, "r"))
        tally = score_part([data[start:stop]], start, header, scored, rejected, served("iris"), options, Pace(0))
        if scored.commit():
            parts.append(store.get("s").body)
        if rejected.commit():
            line = int(store.get("r").body.splitlines()[1].split(b",")[0])
            assert lines - 1 + line == 2 + 50_000 * (1 + note.count(b"\n"))
        lines += tally.lines
    assert b"".join(parts) == whole.scored


def test_records_behind_a_lone_quote_belong_to_the_window_in_which_they_end() -> None:
    """Else the model is asked about them together with the next window's, unless a part of the file begins there."""
    cutter = Cutter(b",", LIMIT, 1)
    framed = cutter.feed(b'a"b,1\nc,2\nd')
    assert isinstance(framed, windows.Framed)
    assert [record.body for record in framed.records] == [b'a"b,1', b"c,2"]
    assert cutter.feed(b",3\n") == Window(b"d,3\n", 3, None)
