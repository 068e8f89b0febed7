"""Cells of numbers that are not read all at once are read as the grammar reads each: value and refusal."""

import struct

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.inference import cells as grammar
from functions.scoring import unread
from functions.scoring.unread import read_unread
from functions.signature import Feature

exponents = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"{value:.18e}")
odd = st.text('0123456789.+-eE_ naif\u0661"', max_size=8) | st.sampled_from(
    ["", "NA", "1e999", "-1e999", "9007199254740993", "9007199254740993.", "9007199254740993e0", "1_0", "inf", "nan"]
)


def by_the_grammar(text: str, nullable: bool) -> float | None:
    """None: no number that this feature takes."""
    try:
        value = grammar.read(text, "float64")
    except grammar.BadCell:
        return None
    if value is None:
        return float("nan") if nullable else None
    assert isinstance(value, float)
    return value


def bits(value: float | None) -> bytes | None:
    return None if value is None else struct.pack("d", value)


@given(st.lists(exponents | odd, min_size=1, max_size=30), st.booleans(), st.sampled_from([1, 3, 1000]))
@example(["1.5e0", "9007199254740993"], False, 1000)
@example(["1.5e0", "1e999"], True, 1000)
@example(["1.5e0", "1_0"], True, 1000)
def test_what_was_left_is_read_as_the_grammar_reads_it(texts: list[str], nullable: bool, together: int) -> None:
    feature = Feature("x", "float64", nullable)
    cells = [text.encode() for text in texts]
    stops = np.cumsum([len(cell) + 1 for cell in cells]) - 1
    starts = stops - [len(cell) for cell in cells]
    values = np.full(len(cells), 7.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(unread, "TOGETHER", together)
        bad = read_unread(b",".join(cells), starts, stops, feature, values, np.arange(len(cells)))
    expected = [by_the_grammar(text, nullable) for text in texts]
    assert bad.tolist() == [at for at, value in enumerate(expected) if value is None]
    for at, value in enumerate(expected):
        assert value is None or bits(values[at]) == bits(value)
