import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.inference.cells import BadCell, column_name, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5.0), ("5.", 5.0), (".5", 0.5), ("+5.1", 5.1), ("-5.1", -5.1), ("1e3", 1000.0), ("1E+3", 1000.0),
        ("007", 7.0), ("  5.1\t", 5.1), ("1e-400", 0.0), ("9007199254740992", 2.0**53),
        ("1152921504606846976", 2.0**60),
        ("-9007199254740992", -(2.0**53)), ("9007199254740993.0", 2.0**53), ("0" * 500 + "1", 1.0),
    ],
)  # fmt: skip
def test_a_number_is_read_as_float64_spells_it(text: str, value: float) -> None:
    assert read(text, "float64") == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", "a number"), ("1_000", "a number"), ("0x10", "a number"), ("1,5", "a number"), ("inf", "a number"),
        ("-Infinity", "a number"), ("1e400", "a number that float64 can hold"), ("٣", "a number"), ("1 2", "a number"),
        ("--1", "a number"), (".", "a number"), ("e5", "a number"), ("1e", "a number"), ("true", "a number"),
        ("9" * 400, "a number that float64 can hold"), ("5\n", "a number"),
        ("9007199254740993", "a whole number that float64 can hold exactly"),
        ("-9007199254740993", "a whole number that float64 can hold exactly"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_saying_what_was_expected(text: str, expected: str) -> None:
    with pytest.raises(BadCell) as refused:
        read(text, "float64")
    assert str(refused.value) == expected


@pytest.mark.parametrize("text", ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"])
@pytest.mark.parametrize("dtype", ["float64", "bool", "string"])
def test_the_listed_words_are_missing_in_every_type(text: str, dtype: str) -> None:
    assert read(text, dtype) is None  # type: ignore[arg-type] # parametrize gives plain texts


def test_spaces_around_count_in_a_text_and_not_in_a_number() -> None:
    assert read(" NA ", "float64") is None
    assert read(" NA ", "string") == " NA "
    assert read(" Bern", "string") == " Bern"
    assert read("n/a", "string") == "n/a"


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("True", True), ("1", True), (" false ", False), ("0", False)]
)
def test_a_boolean_is_read_in_each_of_its_spellings(text: str, value: bool) -> None:
    assert read(text, "bool") is value


@pytest.mark.parametrize("text", ["TRUE", "yes", "2", "t", "1.0"])
def test_no_other_word_is_a_boolean(text: str) -> None:
    with pytest.raises(BadCell) as refused:
        read(text, "bool")
    assert str(refused.value) == "true or false"


@pytest.mark.parametrize("text", ["age", " age", "age\t", "\ufeffage", " \ufeff\tage \ufeff"])
def test_a_column_name_is_compared_without_spaces_tabs_and_byte_order_marks_around_it(text: str) -> None:
    assert column_name(text) == "age"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_comes_back_from_its_repr(value: float) -> None:
    found = read(repr(value), "float64")
    assert found == value


@given(st.integers())
def test_a_whole_number_is_read_exactly_or_refused(value: int) -> None:
    try:
        found = read(str(value), "float64")
    except BadCell:
        assert math.isinf(float(value)) or int(float(value)) != value
    else:
        assert found == value
        assert isinstance(found, float)
        assert int(found) == value


@given(st.text())
def test_any_text_is_a_finite_number_missing_or_refused(text: str) -> None:
    try:
        found = read(text, "float64")
    except BadCell:
        return
    assert found is None or math.isfinite(float(found))
