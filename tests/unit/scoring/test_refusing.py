"""Rows that the model itself refuses: each gets the verdict that it would get alone, in few predictions, in time."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.errors import DropRefused, OutOfTime
from functions.inference.engine import Predictions
from functions.inference.model import ServedModel
from functions.inference.schema import Schema
from functions.registry.memory import MemoryStore
from functions.scoring.loop import Options
from functions.scoring.pace import Pace, Refusals
from functions.scoring.predicting import Answers, predict_block
from functions.scoring.worker import Worker
from functions.signature import Feature, Signature
from tests.unit.scoring.parts import KEY, PATHS, OneModel

FEATURES = [
    Feature("x", "float64", True, None, 0.0, 9.0, 4.0, 1.0),
    Feature("city", "string", True, ["Basel", "Bern", "Genf"]),
    Feature("member", "bool", False),
]
SIGNATURE = Signature("regression", FEATURES, "y", [])

Row = tuple[float, str | None, bool]


class Picky:
    """Refuses any rows of which `bad` says that of one, and counts how often it was asked."""

    name = "joblib"

    def __init__(self, bad: Callable[[Row], bool], seconds: float = 0.0) -> None:
        self._bad = bad
        self._seconds = seconds
        self.asked = 0
        self.now = 0.0

    def predict_rows(self, rows: Sequence[Any]) -> Predictions:  # noqa: ARG002 # the contract of an engine
        raise AssertionError("whole columns are asked about")

    def predict_columns(self, columns: Any) -> Predictions:
        self.asked += 1
        self.now += self._seconds
        rows: list[Row] = list(zip(*(column.tolist() for column in columns), strict=True))
        for row in rows:
            if self._bad(row):
                raise ValueError(f"no {row}\n please")
        return Predictions(None, None, np.array([answer(row) for row in rows]))  # type: ignore[arg-type] # from columns


def answer(row: Row) -> float:
    x, city, member = row
    return (0.0 if x != x else x) + 100.0 * len(city or "") + 1000.0 * member


def predicted(engine: Picky, rows: Sequence[Row]) -> Answers:
    xs, cities, members = zip(*rows, strict=True)
    texts = np.empty(len(rows), dtype=object)
    texts[:] = cities
    return predict_block(engine, [np.array(xs), texts, np.array(members)], FEATURES, len(rows), lambda *_: None)


CELLS: list[tuple[Any, ...]] = [
    (0.0, -0.0, 1.0, 2.0, -1.0, 50.0, float("nan")),
    ("Bern", "Genf", "Oslo", "Rom", None),
    (True, False),
]


@given(
    st.lists(st.tuples(*(st.sampled_from(cells) for cells in CELLS)), min_size=1, max_size=60),
    st.sets(st.integers(0, 69)),
)
def test_every_row_gets_the_verdict_that_it_would_get_alone(rows: list[Row], refused: set[int]) -> None:
    def bad(row: Row) -> bool:
        kinds = [list(map(repr, cells)).index(repr(cell)) for cells, cell in zip(CELLS, row, strict=True)]
        return kinds[0] * 10 + kinds[1] * 2 + kinds[2] in refused

    found = predicted(Picky(bad), rows)
    good = [index for index, row in enumerate(rows) if not bad(row)]
    assert found.kept.tolist() == good
    assert ([] if found.values is None else found.values.tolist()) == [answer(rows[index]) for index in good]
    assert found.failed == {
        index: ("not_predictable", f"the model refuses this row: no {row} please")
        for index, row in enumerate(rows)
        if bad(row)
    }


def test_rows_that_are_refused_together_only_are_all_taken() -> None:
    class Lonely(Picky):
        def predict_columns(self, columns: Any) -> Predictions:
            if len(columns[0]) > 1:
                raise ValueError("one at a time")
            return super().predict_columns(columns)

    rows: list[Row] = [(float(number), "Bern", True) for number in range(10)]
    found = predicted(Lonely(lambda _: False), rows)
    assert found.failed == {}
    assert found.values is not None
    assert found.values.tolist() == [answer(row) for row in rows]


def test_rows_of_which_none_is_refused_are_asked_about_once() -> None:
    engine = Picky(lambda _: False)
    predicted(engine, [(float(number), "Oslo", True) for number in range(1000)])
    assert engine.asked == 1


def test_where_every_row_is_refused_each_is_asked_about_once_and_hardly_more() -> None:
    engine = Picky(lambda _: True)
    assert len(predicted(engine, [(float(number), "Bern", True) for number in range(1000)]).failed) == 1000
    assert engine.asked <= 1000 + 15


def test_equal_rows_are_refused_by_one_question() -> None:
    engine = Picky(lambda row: row[0] != row[0])
    rows: list[Row] = [(float("nan"), "Bern", number % 2 == 0) for number in range(2000)]
    assert len(predicted(engine, rows).failed) == 2000
    assert engine.asked <= 5


def test_few_rows_unlike_the_training_data_are_not_looked_for_among_the_others() -> None:
    engine = Picky(lambda row: row[1] == "Oslo")
    rows: list[Row] = [(number / 1200, "Oslo" if number % 100 == 7 else "Bern", True) for number in range(10_000)]
    assert len(predicted(engine, rows).failed) == 100
    assert engine.asked <= 100 + 15


def test_gaps_that_the_model_takes_do_not_hide_the_texts_that_it_refuses() -> None:
    engine = Picky(lambda row: row[1] == "Oslo")
    rows: list[Row] = [
        (float("nan") if number % 2 else number / 1200, "Oslo" if number % 100 == 7 else "Bern", number % 3 == 0)
        for number in range(10_000)
    ]
    assert {index % 100 for index in predicted(engine, rows).failed} == {7}
    assert engine.asked <= 40


def test_a_few_rows_refused_for_no_reason_that_can_be_seen_are_found_by_halves() -> None:
    refused = {number / 1200 for number in (17, 2345, 2346, 6000, 9999)}
    engine = Picky(lambda row: row[0] in refused)
    found = predicted(engine, [(number / 1200, "Bern", True) for number in range(10_000)])
    assert sorted(found.failed) == [17, 2345, 2346, 6000, 9999]
    assert engine.asked <= 5 * 2 * 14


HEADER = b"x,city,member\n"
ROWS = b"".join(b"%d.5,Bern,1\n" % number for number in range(10_000))
OPTIONS = Options(1024, None, probabilities=False)


def worker(engine: Picky, store: MemoryStore, body: bytes) -> Worker:
    store.put(KEY, body)
    return Worker(store, OneModel(ServedModel("one", "v", SIGNATURE, Schema(SIGNATURE), engine, {})), OPTIONS, 1.0)


def on_the_clock(monkeypatch: pytest.MonkeyPatch, engine: Picky) -> None:
    monkeypatch.setattr(Pace.__init__, "__defaults__", (None, None, lambda: engine.now))


def test_a_file_whose_refused_rows_take_too_long_ends_with_a_summary_that_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, store = Picky(lambda _: True, seconds=0.5), MemoryStore()
    on_the_clock(monkeypatch, engine)
    report = worker(engine, store, HEADER + ROWS).score(KEY, lambda: 900.0 - engine.now, 900.0)
    assert report.status == "refused"
    assert report.reason == (
        "too_large: 1763 rows so far were rejected as not_predictable, asked about one by one, which is slow (the "
        "model refuses this row: no (0.5, 'Bern', True) please): mend them first; 138904 bytes at 0.00 MB/s need about "
        "5048 s, and one invocation has 900 s; drop it again in files of at most 19590 bytes, or once the function has "
        "more time or memory, or score it with: python -m functions.score"
    )
    assert engine.now == 890.0  # ten seconds are kept for the summary
    assert set(store.keys("")) == {KEY, PATHS.summary}


def test_a_file_whose_refused_rows_a_fresh_invocation_could_finish_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, store = Picky(lambda _: True, seconds=0.02), MemoryStore()
    on_the_clock(monkeypatch, engine)
    with pytest.raises(OutOfTime):
        worker(engine, store, HEADER + ROWS).score(KEY, lambda: 100.0 - engine.now, 900.0)
    assert 80 < engine.now < 100
    engine.now = 0.0
    assert worker(engine, store, HEADER + ROWS).score(KEY, lambda: 900.0 - engine.now, 900.0).status == "scored"


def test_without_a_limit_rows_are_asked_about_to_the_last() -> None:
    engine, store = Picky(lambda _: True, seconds=1e6), MemoryStore()
    assert worker(engine, store, HEADER + ROWS).score(KEY).status == "scored"
    assert store.get(PATHS.rejected).body.count(b"not_predictable") == 10_000


def test_refused_rows_are_told_of_where_the_rate_of_whole_blocks_is_too_low(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.scoring.windows.BLOCK", 4096)
    monkeypatch.setattr("functions.scoring.loop.PIECE", 4096)
    engine, store = Picky(lambda _: True, seconds=0.5), MemoryStore()
    on_the_clock(monkeypatch, engine)
    report = worker(engine, store, HEADER + ROWS).score(KEY, lambda: 900.0 - engine.now, 900.0)
    assert report.reason is not None
    told = (
        r"too_large: \d+ rows so far were rejected as not_predictable, asked .*: mend them first; 138904 bytes at 0\.00"
    )
    assert re.match(told, report.reason)
    assert engine.now < 880


def test_refused_rows_that_are_few_are_no_reason_why_a_file_takes_long() -> None:
    now = 0.0
    pace = Pace(10**12, lambda: 900.0 - now, 900.0, lambda: now)
    pace.check(1000)
    now = 2.0
    with pytest.raises(DropRefused) as raised:
        pace.check(2000, Refusals(3, "the model refuses this row: no"))
    assert "not_predictable" not in raised.value.message
