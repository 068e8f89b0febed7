"""Files made of rows that are known to be good or bad come back, byte for byte: by every engine, packed or not.

What is expected is known from how a file was made; no code of the project tells it.
"""

import csv
import gzip
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.inference.cells import NUMBER
from functions.scoring import windows
from functions.scoring.appended import cell_of
from functions.scoring.loop import Options
from functions.signature import Cell
from tests.unit.scoring.harness import Scored, score, served

IRIS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
FEATURES = {"iris": IRIS, "iris by its twin": IRIS, "mixed": ["age", "city", "member"], "price": ["x", "y"]}
NUMBERS = [("5.1", 5.1), (" 3 ", 3.0), ('"1.4"', 1.4), ("-.2e1", -2.0), ("007", 7.0)]
GOOD: dict[str, Sequence[tuple[str, Cell]]] = {
    **dict.fromkeys([*IRIS, "x", "y"], NUMBERS),
    "age": [*NUMBERS, ("", None), ("NA", None)],
    "city": [("Bern", "Bern"), ('"Bern"', "Bern"), ('"Zug, ""ZG""\r\n\n"', 'Zug, "ZG"\r\n\n'), ("", None), ("é", "é")],
    "member": [("true", True), ("0", False), (" True", True), ("null", None)],
}
NOTES = ["", "x", '"a{0}b"', '"{0}"', '"two\nlines"', '"two\r\nlines\r\n"', '"""q"""', 'a "quote" inside', "ü", "=1+1"]
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 # OWASP, "CSV Injection"
BROKEN = {"no number": "?", "a quote in a number": '5"1', "text after a quote": '"5.1"0', "bare CR": "5\r1"}
BAD = ["ragged", *BROKEN]


@dataclass(frozen=True, slots=True)
class Made:
    """A file. good: body, line end and values of each row. bad: physical line and record of each other one."""

    model: str
    separator: str
    head: bytes
    good: list[tuple[bytes, bytes, list[Cell]]]
    bad: list[tuple[int, bytes]]
    blank: int
    data: bytes


@st.composite
def made(draw: st.DrawFn) -> Made:
    model, separator = draw(st.sampled_from(sorted(FEATURES))), draw(st.sampled_from([",", ";", "\t"]))
    features = FEATURES[model]
    columns = draw(st.permutations([*features, "note", "id"]))
    end = st.sampled_from(["\n", "\r\n"])
    quoted = draw(st.booleans())
    head = ("\ufeff" if draw(st.booleans()) else "") + separator.join(
        f'"{name}"' if quoted else name for name in columns
    )
    text = head + draw(end)
    headed = text.encode()
    good: list[tuple[bytes, bytes, list[Cell]]] = []
    bad: list[tuple[int, bytes]] = []
    blank = 0
    kinds = draw(st.lists(st.sampled_from(["good", "good", "good", "blank", *BAD]), max_size=14))
    for kind in kinds:
        line, mark = text.count("\n") + 1, draw(end)
        if kind == "blank":
            blank += 1
            text += mark
            continue
        cells = {name: draw(st.sampled_from(GOOD[name])) for name in features}
        written = {name: cell for name, (cell, _) in cells.items()} | {"id": "7"}
        written["note"] = draw(st.sampled_from(NOTES)).format(separator)
        if kind != "good":
            written[features[0]] = BROKEN.get(kind, "1")
        row = separator.join(written[name] for name in columns) + (separator if kind == "ragged" else "")
        text += row + mark
        if kind == "good":
            good.append((row.encode(), mark.encode(), [cells[name][1] for name in features]))
        else:
            bad.append((line, row.encode()))
    data = text.encode()
    if kinds[-1:] == ["good"] and draw(st.booleans()):  # the last row without its line end
        body, last, values = good.pop()
        good.append((body, b"", values))
        data = data[: -len(last)]
    return Made(model, separator, headed, good, bad, blank, data)


def packed(data: bytes, members: list[int]) -> bytes:
    """Gzip, cut into members at these places."""
    edges = [0, *sorted(min(cut, len(data)) for cut in members), len(data)]
    return b"".join(gzip.compress(data[start:stop]) for start, stop in pairwise(edges))


def in_pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    """In pieces of these sizes, over and over."""
    pieces: list[bytes] = []
    at = 0
    while at < len(data):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
    return pieces


sizes = st.lists(st.integers(1, 300), min_size=1, max_size=5)


@given(made(), st.none() | st.lists(st.integers(0, 2000), max_size=3), sizes, st.integers(16, 600), st.booleans())
def test_what_goes_in_comes_out(
    file: Made, members: list[int] | None, pieces: list[int], block: int, probabilities: bool
) -> None:
    data = file.data if members is None else packed(file.data, members)
    options = Options(1024 * 1024, None, probabilities)
    with patch.object(windows, "BLOCK", block):
        found = score(in_pieces(data, pieces), file.model, options=options)
    if members is not None:
        found = Scored(gzip.decompress(found.scored), found.rejected and gzip.decompress(found.rejected), found.tally)

    assert found.tally.rows.input == len(file.good) + len(file.bad)
    assert (found.tally.rows.scored, found.tally.rows.rejected) == (len(file.good), len(file.bad))
    assert found.tally.rows.blank == file.blank
    assert rejected(found) == file.bad
    signature = served(file.model).signature
    appended = 1 + (len(signature.classes) if probabilities else 0)
    lines = taken_apart(found.scored, file, appended)
    without = b"".join(body + mark for body, _, mark in lines)
    assert without == file.head + b"".join(body + mark for body, mark, _ in file.good)
    predicted = [cells[0] if signature.classes else float(cells[0]) for _, cells, _ in lines[1:]]
    assert predicted == answers(file)
    for _, cells, _ in lines[1:] if probabilities and signature.classes else ():
        assert sum(map(float, cells[1:])) == pytest.approx(1)


def rejected(found: Scored) -> list[tuple[int, bytes]]:
    """Line and record of each rejected row, read as any program reads a CSV."""
    rows = csv.DictReader(io.StringIO((found.rejected or b"").decode(), newline=""), strict=True)
    return [(int(row["line"]), row["record"].encode()) for row in rows]


def taken_apart(scored: bytes, file: Made, appended: int) -> list[tuple[bytes, list[str], bytes]]:
    """Each record of the scored file: what was there, the appended cells, the line end."""
    found = []
    ends = [(file.head.rstrip(b"\r\n"), file.head[len(file.head.rstrip(b"\r\n")) :])]
    for body, mark in [*ends, *((body, mark) for body, mark, _ in file.good)]:
        assert scored.startswith(body), (scored[:80], body)
        line, newline, rest = scored[len(body) :].partition(b"\n")
        cut = b"\r\n" if newline and line.endswith(b"\r") else newline
        cells = (line + newline).removesuffix(cut).decode().split(file.separator)
        assert (cells[0], len(cells), cut) == ("", 1 + appended, mark)
        found.append((body, cells[1:], cut))
        scored = rest
    assert scored == b""
    return found


def answers(file: Made) -> list[object]:
    """What the model says of each good row, asked of it by itself."""
    model = served(file.model)
    told: list[object] = []
    for _, _, values in file.good:
        answer = model.engine.predict_rows([values])
        if answer.classes is None:
            assert answer.values is not None
            told.append(pytest.approx(answer.values[0]))
        else:
            label = model.signature.classes[answer.classes[0]]
            told.append(str(label).lower() if isinstance(label, bool) else label)
    return told


@given(st.text() | st.sampled_from(FORMULA).flatmap(lambda mark: st.text().map(mark.__add__)), st.sampled_from(",;\t|"))
def test_no_text_that_is_appended_starts_a_formula_or_breaks_its_row(label: str, separator: str) -> None:
    written = cell_of(label, separator.encode()).decode("utf-8", "surrogateescape")
    (row,) = csv.reader(io.StringIO(f"1{separator}{written}", newline=""), delimiter=separator, strict=True) or [
        ["", ""]
    ]
    assert row[1] in (label, "'" + label)
    assert not row[1].startswith(FORMULA) or NUMBER.fullmatch(row[1])
