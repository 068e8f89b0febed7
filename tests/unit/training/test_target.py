"""What the target's texts become: whole numbers, booleans, or texts as written; and what is no target to learn."""

from collections.abc import Sequence

import numpy as np
import pytest

from functions.signature import Task
from training.endings import Mistake
from training.tables.columns import Spelled
from training.tables.target import Target, read_target


def target(texts: Sequence[str], task: Task | None = None) -> Target:
    return read_target(Spelled.of("y", texts), np.arange(2, len(texts) + 2), task)


def labels(texts: Sequence[str]) -> tuple[list[object], str, list[bool]]:
    read = target(texts)
    assert read.task == "classification"
    return read.truth.tolist(), read.truth.dtype.name, read.present.tolist()


def refusal(texts: Sequence[str], task: Task | None = None) -> str:
    with pytest.raises(Mistake) as raised:
        target(texts, task)
    return str(raised.value)


@pytest.mark.parametrize(
    ("texts", "read", "dtype"),
    [
        (["a", "b"], ["a", "b"], "object"),
        (["0", "1"], [0, 1], "int64"),
        (["-1", " 1 "], [-1, 1], "int64"),
        (["1.0", "2.0"], [1, 2], "int64"),
        (["1e3", "+5"], [1000, 5], "int64"),
        (["true", "false"], [True, False], "bool"),
        (["True", "False"], [True, False], "bool"),
        (["true", "0"], [True, False], "bool"),
        (["01", "10"], ["01", "10"], "object"),
        (["007", "1"], ["007", "1"], "object"),
        (["1", "x"], ["1", "x"], "object"),
        (["true", "x"], ["true", "x"], "object"),
        (["true", "2"], ["true", "2"], "object"),
        (["0.5", "1.5"], ["0.5", "1.5"], "object"),
        ([" a", "a"], [" a", "a"], "object"),
        (["é", "日本"], ["é", "日本"], "object"),
        (["9007199254740993", "1"], ["9007199254740993", "1"], "object"),
        (["1" * 30, "2" * 30], ["1" * 30, "2" * 30], "object"),
        (["inf", "0"], ["inf", "0"], "object"),
    ],
)
def test_labels_are_what_their_texts_spell(texts: list[str], read: list[object], dtype: str) -> None:
    assert labels(texts * 3) == (read * 3, dtype, [True] * 6)


@pytest.mark.parametrize("missing", ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None", "  ", " NA\t"])
@pytest.mark.parametrize(("one", "two"), [("a", "b"), ("1", "2"), ("true", "false")])
def test_rows_whose_target_is_missing_are_left_out(missing: str, one: str, two: str) -> None:
    read, _, present = labels([one, missing, two] * 3)
    assert len(read) == 6
    assert present == [True, False, True] * 3


def test_a_missing_target_never_becomes_a_class_or_makes_whole_numbers_fractional() -> None:
    assert labels(["1", "", "2"] * 3)[0] == [1, 2] * 3


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["", "NA"], "the target 'y' is missing in every row; there is nothing to learn from"),
        (["a"] * 9, "the target 'y' has a single class, 'a'; at least two are needed to tell apart"),
        (["1", "1.0", ""] * 3, "the target 'y' has a single class, 1; at least two are needed to tell apart"),
        (
            ["a"] * 9 + ["b", "b"],
            "class 'b' of 'y' has 2 rows, and 3 folds need at least 3 of each class; add rows, or leave the class out",
        ),
        (
            ["1"] * 9 + ["2"],
            "class 2 of 'y' has 1 row, and 3 folds need at least 3 of each class; add rows, or leave the class out",
        ),
    ],
)
def test_what_cannot_be_learnt_is_refused(texts: list[str], message: str) -> None:
    assert refusal(texts) == message


NUMBERS = [str(number / 8) for number in range(24)]


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (NUMBERS * 3, "24 different numbers are a quantity; else give --task classification"),
        (["1.5", "2.25", "3", "4"] * 2, "4 different numbers are a quantity; else give --task classification"),
        ([str(number) for number in range(21)], "21 different numbers are a quantity; else give --task classification"),
    ],
)
def test_many_different_numbers_are_a_quantity_and_it_is_said_why(texts: list[str], reason: str) -> None:
    read = target(texts)
    assert (read.task, read.reason) == ("regression", reason)
    assert read.truth.tolist() == [float(text) for text in texts]


def test_twenty_different_whole_numbers_are_classes() -> None:
    assert target([str(number) for number in range(20)] * 3).task == "classification"


def test_the_task_that_is_said_is_taken() -> None:
    assert target(["1", "2"] * 4, "regression").truth.tolist() == [1.0, 2.0] * 4
    assert target([*NUMBERS] * 3, "classification").truth.tolist() == NUMBERS * 3


def test_rows_without_a_number_are_left_out() -> None:
    read = target([*NUMBERS, "NA", ""])
    assert (len(read.truth), read.present.tolist()) == (24, [True] * 24 + [False] * 2)


@pytest.mark.parametrize(
    ("texts", "task", "message"),
    [
        (
            [*NUMBERS, "abc"],
            None,
            "line 26, target 'y': found 'abc', expected a number; mend it, or give --task classification",
        ),
        (
            ["1", "2", "true"] * 3,
            "regression",
            "line 4, target 'y': found 'true', expected a number; mend it, or give --task classification",
        ),
        (["1.5"] * 9, "regression", "the target 'y' is 1.5 in every row; there is nothing to learn from"),
        (["1", "2"], "regression", "the target 'y' has 2 rows, and 3 folds need at least 6"),
        (["", "NA"], "regression", "the target 'y' is missing in every row; there is nothing to learn from"),
        (
            ["1e200", "-1e200"] * 4,
            "regression",
            "the target 'y': its numbers are too large for float64 to square; scale them down",
        ),
    ],
)
def test_what_is_no_quantity_is_refused(texts: list[str], task: Task | None, message: str) -> None:
    assert refusal(texts, task) == message
