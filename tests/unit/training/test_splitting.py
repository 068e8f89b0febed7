"""No row, no group and no later moment is on both sides of a split; and the same seed gives the same one."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.endings import Mistake
from training.splitting import Split, split
from training.tables.target import FOLDS

CLASSES = np.array(["a", "b", "b", "b"] * 50, dtype=object)
NUMBERS = np.arange(200) * 1.5


def made(truth: Any = CLASSES, **more: Any) -> Split:
    task = "regression" if truth.dtype == np.float64 else "classification"
    return split(truth, task, **{"share": 0.2, "seed": 0, **more})  # type: ignore[arg-type] # one of the two


def sides(cut: Split) -> list[tuple[Any, Any]]:
    """What is learnt from and what is predicted from it, by places in the table: the held-out rows, then each fold."""
    assert cut.test is not None
    return [(cut.train, cut.test), *((cut.train[train], cut.train[test]) for train, test in cut.folds)]


@pytest.mark.parametrize("truth", [CLASSES, NUMBERS], ids=["classes", "numbers"])
@pytest.mark.parametrize("seed", [0, 1])
def test_no_row_is_on_both_sides_and_every_row_is_on_one(truth: Any, seed: int) -> None:
    cut = made(truth, seed=seed)
    assert cut.test is not None
    assert sorted([*cut.train, *cut.test]) == list(range(200))
    for train, test in sides(cut):
        assert not set(train) & set(test)
    assert sorted(row for _, test in cut.folds for row in test) == list(range(160))


def test_classes_keep_their_shares_on_every_side() -> None:
    for train, test in sides(made()):
        for side in (train, test):
            assert np.mean(CLASSES[side] == "a") == pytest.approx(0.25, abs=0.01)


def test_the_same_seed_gives_the_same_split_and_another_another() -> None:
    one, same, other = made(seed=3), made(seed=3), made(seed=4)
    assert [side.tolist() for pair in sides(one) for side in pair] == [
        side.tolist() for pair in sides(same) for side in pair
    ]
    assert one.train.tolist() != other.train.tolist()


@pytest.mark.parametrize("truth", [CLASSES, NUMBERS], ids=["classes", "numbers"])
def test_rows_of_a_group_stay_together(truth: Any) -> None:
    groups = np.arange(200) // 5
    cut = made(truth, groups=groups)
    assert cut.words.endswith("rows held out, whole groups")
    for train, test in sides(cut):
        assert not set(groups[train]) & set(groups[test])


@given(st.lists(st.integers(0, 30), min_size=120, max_size=200))
def test_what_is_predicted_is_never_earlier_than_what_it_is_predicted_from(moments: list[int]) -> None:
    times = np.array(moments)
    try:
        cut = made(np.arange(len(times)) * 1.5, times=times)
    except Mistake:
        assert max(Counter(moments).values()) > len(moments) / 10  # with fewer at one moment there are cuts enough
        return
    for train, test in sides(cut):
        assert times[train].max() < times[test].min()


def test_a_small_table_holds_no_row_out_and_says_so() -> None:
    cut = made(CLASSES[:60])
    assert cut.test is None
    assert cut.words == (
        "no row held out, for 12 of 60 rows are too few to hold out; the figures are of the folds, which the search saw"
    )
    assert [sorted([*train, *test]) for train, test in cut.folds] == [list(range(60))] * FOLDS


def test_a_class_too_rare_to_hold_rows_of_it_out_keeps_them_all() -> None:
    rare = np.array(["a"] * 150 + ["b"] * 3, dtype=object)
    cut = made(rare)
    assert cut.test is None
    assert "class 'b' would have fewer than 3 rows left to learn from" in cut.words


def test_nothing_is_held_out_where_that_is_asked_for() -> None:
    assert made(share=0).test is None


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"groups": np.arange(200) // 100}, "--group has 2 different groups, and at least 5 are needed"),
        ({"times": np.zeros(200)}, "every row has the same --time; there is no earlier and later"),
        (
            {"times": np.arange(200) // 100},
            "100 of the 100 rows to learn from have the same --time; 3 folds need earlier and later",
        ),
        ({"groups": np.arange(200), "times": np.arange(200)}, "give --group or --time, not both"),
        (
            {"times": np.array([row if CLASSES[row] == "b" else row + 1000 for row in range(200)])},
            "fold 1 learns from rows of a single class; by --group or --time the classes are too unevenly spread to "
            "compare models on them",
        ),
    ],
)
def test_what_cannot_be_split_so_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(Mistake) as raised:
        made(**more)
    assert str(raised.value) == message
