"""Numbers read all at once are, bit by bit, the numbers that the grammar reads one by one."""

import struct
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.inference import cells as grammar
from functions.scoring.numbers import read_numbers

spelled = (
    st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.floats(-1e6, 1e6).map(repr)
    | st.tuples(st.floats(-1e9, 1e9), st.integers(0, 15)).map(lambda pair: f"{pair[0]:.{pair[1]}f}")
    | st.integers(-(10**20), 10**20).map(str)
    | st.text("0123456789.", max_size=26)
    | st.text("0123456789.+-eE_/: \t,x", max_size=12).map(lambda text: text.replace(",", ";"))
    | st.text(st.characters(max_codepoint=255, exclude_characters=","), max_size=5)
    | st.sampled_from(
        ["", ".", "-", "+.", "5.", ".5", "+5.1", "-0", "-0.0", "007", "inf", "NaN", "NA", "1e3", "9" * 19]
    )
)
padded = st.tuples(st.sampled_from(["", " ", "\t "]), spelled, st.sampled_from(["", " ", "  \t"])).map("".join)


BEFORE = ["0.5"] * 20  # the first cells of a text are always left to the grammar


def read(texts: list[str], before: list[str] = BEFORE) -> list[float | None]:
    """What is read at once; None where the grammar is to be asked."""
    raw = "".join(text + "," for text in [*before, *texts]).encode("latin-1")  # any bytes
    stops = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == ord(","))
    starts = np.concatenate(([0], stops[:-1] + 1))
    starts, stops = starts[None, len(before) :], stops[None, len(before) :]
    values, bad = read_numbers(np.frombuffer(raw, dtype=np.uint8), starts, stops)
    found: list[float | None] = values[0].tolist()
    for index in np.flatnonzero(bad[0]).tolist():
        found[index] = None
    return found


def number(text: str) -> float | None:
    try:
        return grammar.number(text.strip(" \t"))
    except grammar.BadCell:
        return None


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("d", value)


@given(st.lists(spelled | padded, min_size=1, max_size=12))
@example(["9007199254740993", "9007199254740992.0", "18014398509481985.5"])
@example(["0.1", "12345678.12345678", "12345678901234567.125", "1234567890123456789012.5"])
@example(["\xcf\xcf\xcf\xcf", "\xff\xff\xff\xff", "0000"])
@example(["1.2345678", "12345.678", "1234567.8", "1.23456789", "123456789.", ".123456789"])
@example(["3326.018103361848489", "426087639.278324157"])  # halfway between two float64, once rounded to 64 bits
@example([".00000000000000000000012"])  # 10**23, which float64 does not hold
@example(["12345."] * 70 + ["."])
def test_what_is_read_at_once_is_what_the_grammar_reads(texts: list[str]) -> None:
    for text, found in zip(texts, read(texts), strict=True):
        assert found is None or bits(found) == bits(number(text)), text


@pytest.mark.parametrize("texts", [["9"] + ["1.25"] * 70, ["5.1"] + ["123.25"] * 70, ["-0.5", "1e3"] + ["0.125"] * 70])
def test_the_first_cells_of_a_text_are_read_as_the_grammar_reads_them_or_left_to_it(texts: list[str]) -> None:
    for text, found in zip(texts, read(texts, before=[]), strict=True):
        assert found is None or bits(found) == bits(number(text)), text


def test_ordinary_numbers_need_no_grammar() -> None:
    texts = ["5.1", "-0.25", "+3", "007", "1234567.8", " 12 ", "0.1234567890123", "-12345678.87654321", "1234567890123"]
    assert read(texts) == [float(text) for text in texts]


def test_numbers_with_all_the_digits_of_a_float64_need_no_grammar_but_for_a_few() -> None:
    texts = [repr(value) for value in np.random.default_rng(0).uniform(0.1, 1000, 4000).tolist()]
    found = read(texts)
    assert sum(value is None for value in found) < len(texts) / 100
    assert all(value in (None, float(text)) for value, text in zip(found, texts, strict=True))


def test_every_short_text_is_read_as_the_grammar_reads_it_or_left_to_it() -> None:
    characters = "0159.+-e ;/:"
    texts = ["".join(text) for length in range(5) for text in product(characters, repeat=length)]
    for text, found in zip(texts, read(["1.25"] * 64 + texts)[64:], strict=True):
        assert found is None or bits(found) == bits(number(text)), text


def test_no_number_of_up_to_four_characters_needs_the_grammar() -> None:
    digits = [f"{number:0{length}}" for length in range(1, 5) for number in range(10**length)]
    dotted = [text[:place] + "." + text[place:] for text in digits if len(text) < 4 for place in range(len(text) + 1)]
    texts = ["1.25"] * 64 + digits + dotted
    assert [bits(found) for found in read(texts)] == [bits(float(text)) for text in texts]


def test_a_few_longer_numbers_in_a_column_of_short_ones_are_read_too() -> None:
    texts = ["1.25"] * 64 + ["12.125", "-0.5", "1e3", "100000", "0.1234567890123", "x"]
    assert read(texts) == [1.25] * 64 + [12.125, -0.5, None, 100000.0, 0.1234567890123, None]


def test_of_a_cell_with_very_many_spaces_its_neighbours_are_read_all_the_same() -> None:
    spaces = " " * 100_000
    assert read([f"{spaces}1.5", "1e0", f"1.5{spaces}", " 2.5 ", "3.25"]) == [None, None, None, 2.5, 3.25]
