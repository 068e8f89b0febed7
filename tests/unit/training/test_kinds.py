"""What a column is taken for, and why it is left out; and what is refused rather than guessed at."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.inference import cells
from training.endings import Mistake
from training.tables.columns import Kind, Spelled
from training.tables.kinds import kind_of
from training.tables.values import values_of

ROWS = 24


def found(
    texts: Sequence[str], wanted: Kind | None = None, name: str = "x", declared: Kind | None = None
) -> tuple[str, str]:
    finding = kind_of(Spelled.of(name, texts, declared), wanted, np.arange(2, len(texts) + 2))
    return finding.kind, finding.reason


def repeated(*texts: str) -> list[str]:
    return [texts[row % len(texts)] for row in range(ROWS)]


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (repeated("1.5", "2", "-3e2", ".5"), "number"),
        (repeated("0", "1"), "number"),
        (repeated("007", "8.5"), "number"),
        (repeated("5", "", "NA", " 7 "), "number"),
        ([str(number * number) for number in range(ROWS)], "number"),
        (repeated("true", "false"), "boolean"),
        (repeated("True", "False", ""), "boolean"),
        (repeated("true", "0"), "boolean"),
        (repeated("red", "green", "blue"), "category"),
        (repeated("S", "M", "40", "42"), "category"),
        (repeated("08001", "3000", "00100"), "number"),
        (repeated("08001", "03000", "00100"), "category"),
        (repeated("x", ""), "category"),
    ],
)
def test_what_can_be_learnt_from_is_told_from_its_cells(texts: list[str], kind: Kind) -> None:
    assert found(texts) == (kind, "")


@pytest.mark.parametrize(
    ("texts", "name", "kind", "reason"),
    [
        (repeated("", "NA"), "x", "empty", "no value at all"),
        (repeated("5", "5.0"), "x", "constant", "the same in every row"),
        (repeated("CH"), "x", "constant", "the same in every row"),
        (repeated("true"), "x", "constant", "the same in every row"),
        (repeated("5", ""), "x", "constant", "the same in every row that has it; --type x=category keeps it"),
        ([str(row + 100) for row in range(ROWS)], "x", "id", "it counts the rows; --type x=number keeps it"),
        ([str(-row) for row in range(ROWS)], "x", "id", "it counts the rows; --type x=number keeps it"),
        (
            [str(row * row) for row in range(ROWS)],
            "customer_id",
            "id",
            "named as an id, and different in every row; --type customer_id=number keeps it",
        ),
        ([f"n{row}" for row in range(ROWS)], "x", "id", "24 different in 24 rows; --type x=category keeps it"),
        (
            [str(2**53 + 1 + 2 * row) for row in range(ROWS)],
            "x",
            "id",
            "24 different in 24 rows; --type x=category keeps it",
        ),
        (
            [f"the customer called {row} times" for row in range(ROWS)],
            "x",
            "text",
            "written text, 24 different in 24 rows; --type x=category keeps it",
        ),
        *(
            (
                repeated(*texts),
                "x",
                "date",
                "a date, and serving takes numbers, booleans and texts; add what it tells as a column",
            )
            for texts in (
                ("2026-11-23", "2025-01-02", ""),
                ("2026-11-23T08:15:00Z", "2026-11-23 08:15"),
                ("23.11.2026", "1.2.26"),
                ("11/23/2026", "2026/11/23"),
            )
        ),
    ],
)
def test_what_cannot_be_learnt_from_is_left_out_and_it_is_said_why(
    texts: list[str], name: str, kind: Kind, reason: str
) -> None:
    assert found(texts, name=name) == (kind, reason)


@pytest.mark.parametrize("wanted", ["number", "boolean", "category"])
def test_the_kind_that_is_asked_for_is_taken(wanted: Kind) -> None:
    assert found(repeated("0", "1"), wanted) == (wanted, "as --type says")


def test_digits_in_a_column_that_its_file_says_are_texts_are_texts() -> None:
    assert found(repeated("1", "2"), declared="category") == ("category", "")


@pytest.mark.parametrize("bad", ["abc", "1,5", "1_000", "0x10", "inf", "1e400", "9007199254740993", "true", "12 kg"])
def test_a_cell_that_is_no_number_among_numbers_is_refused_and_not_made_a_category(bad: str) -> None:
    texts = [*(f"{row}.5" for row in range(ROWS)), bad]
    with pytest.raises(Mistake, match=f"line {ROWS + 2}, column 'x': found '{bad}', expected a "):
        found(texts)


@given(st.lists(st.text(st.sampled_from("0123456789.eE+-_,trufalsNA "), max_size=6), min_size=1, max_size=30))
def test_whatever_is_taken_for_a_feature_is_read_as_scoring_reads_it(texts: list[str]) -> None:
    column = Spelled.of("x", texts)
    try:
        kind = kind_of(column, None, np.arange(2, len(texts) + 2)).kind
    except Mistake:
        return
    if kind not in ("number", "boolean", "category"):
        return
    values = values_of(column, kind, np.arange(2, len(texts) + 2)).tolist()
    dtype = {"number": "float64", "boolean": "bool", "category": "string"}[kind]
    read = [cells.read(text, dtype) for text in texts]  # type: ignore[arg-type] # one of the three
    assert [None if value != value else value for value in values] == read
