"""The target's texts become class labels or numbers. It knows no file."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from functions.inference import cells
from functions.signature import Label, Task
from training.endings import Mistake
from training.tables.columns import Lines, Spelled, shown

Labels: TypeAlias = np.ndarray[tuple[int], np.dtype[Any]]

FOLDS = 3
MOST_CLASSES_OF_NUMBERS = 20
"""Numbers of which more different ones stand are taken for a quantity."""
EXACT = 2**53
MOSTLY = 0.75


@dataclass(frozen=True, slots=True)
class Target:
    """truth: of the m rows that have one; labels (int64, bool or object of str), or float64 numbers in regression.

    present: which of the n rows those are. reason: why the task was taken to be this one; empty where it was said, or
    goes without saying.
    """

    task: Task
    truth: Labels
    present: Labels
    reason: str = ""


def read_target(column: Spelled, lines: Lines, task: Task | None = None) -> Target:
    """The target as classes or as numbers, the task told from its texts where `task` does not say it.

    All whole numbers: integers (with leading zeros they are codes, and texts). All true/false: booleans. Else texts.
    Numbers with many different values are a quantity: regression. Raises Mistake for a single class, a class with fewer
    rows than folds, numbers that are none.
    """
    name = column.name
    numbers = _all(column.texts, lambda text: cells.read(text, "float64"))
    reason = ""
    if task is None:
        task, reason = _task(column, numbers, lines)
    if task == "regression":
        if numbers is None:
            raise _no_numbers(column, lines)
        known = np.array([math.nan if value is None else value for value in numbers])[column.codes]
        present = ~np.isnan(known)
        _enough_numbers(known[present], name)
        return Target(task, known[present], present, reason)
    values, dtype = _labels(column.texts, numbers)
    present = np.array([value is not None for value in values], dtype=bool)[column.codes]
    table = np.empty(len(values), dtype=object)
    table[:] = values
    labels: Labels = table[column.codes[present]].astype(dtype)
    _enough(labels, name)
    return Target(task, labels, present, reason)


def _task(column: Spelled, numbers: list[float | None] | None, lines: Lines) -> tuple[Task, str]:
    if numbers is None:
        _refuse_mixed(column, lines)
        return "classification", ""
    if _all(column.texts, _whole) is None and all(number is None or number.is_integer() for number in numbers):
        return "classification", ""  # codes
    different = {number for number in numbers if number is not None}
    fractional = any(not number.is_integer() for number in different)
    if len(different) > MOST_CLASSES_OF_NUMBERS or (fractional and len(different) * FOLDS > len(column.codes)):
        return "regression", f"{len(different)} different numbers are a quantity; else give --task classification"
    return "classification", ""


def _labels(spelled: list[str], numbers: list[float | None] | None) -> tuple[list[Label | None], type]:
    whole = _all(spelled, _whole)
    if whole is not None:
        return whole, np.int64
    if numbers is None:
        booleans = _all(spelled, lambda text: cells.read(text, "bool"))
        if booleans is not None:
            return booleans, np.bool_
    # Spaces around a missing value do not make it a class, though spaces around a text are part of it.
    return [None if text.strip(" \t") in cells.MISSING else text for text in spelled], object


def _all(spelled: list[str], read: Callable[[str], Any]) -> list[Any] | None:
    """Every text's value, if each has one (None is the value of a missing one) and not all are missing."""
    try:
        values = [read(text) for text in spelled]
    except cells.BadCell:
        return None
    return values if any(value is not None for value in values) else None


def _whole(text: str) -> int | None:
    word = text.strip(" \t").lstrip("+-")
    if len(word) > 1 and word.startswith("0") and word.isdigit():
        raise cells.BadCell("a whole number without leading zeros")
    value = cells.read(text, "float64")
    if value is None:
        return None
    number = float(value)
    if not number.is_integer() or abs(number) >= EXACT:
        raise cells.BadCell("a whole number")
    return int(number)


def _refuse_mixed(column: Spelled, lines: Lines) -> None:
    """Raises Mistake for a quantity with cells that are no numbers."""
    bad = _not_numbers(column)
    present = ~column.missing()
    counts = column.counts()
    good = [place for place in np.flatnonzero(present).tolist() if place not in bad]
    if len(good) > MOST_CLASSES_OF_NUMBERS and counts[good].sum() >= MOSTLY * counts[present].sum():
        raise _no_numbers(column, lines)


def _no_numbers(column: Spelled, lines: Lines) -> Mistake:
    bad = _not_numbers(column)
    rows = np.flatnonzero(np.isin(column.codes, list(bad)))
    if not len(rows):
        return Mistake(f"the target {column.name!r} is missing in every row; there is nothing to learn from")
    text = int(column.codes[rows[0]])
    return Mistake(
        f"line {lines[rows[0]]}, target {column.name!r}: found {shown(column.texts[text])}, expected {bad[text]}; "
        "mend it, or give --task classification"
    )


def _not_numbers(column: Spelled) -> dict[int, str]:
    bad = {}
    for place, text in enumerate(column.texts):
        try:
            cells.read(text, "float64")
        except cells.BadCell as error:
            bad[place] = str(error)
    return bad


def _enough(labels: Labels, target: str) -> None:
    classes, counts = np.unique(labels, return_counts=True)
    if not len(classes):
        raise Mistake(f"the target {target!r} is missing in every row; there is nothing to learn from")
    if len(classes) == 1:
        raise Mistake(
            f"the target {target!r} has a single class, {classes.tolist()[0]!r}; at least two are needed to tell apart"
        )
    fewest = int(counts.argmin())
    if counts[fewest] < FOLDS:
        raise Mistake(
            f"class {classes.tolist()[fewest]!r} of {target!r} has {counts[fewest]} "
            f"row{'s' if counts[fewest] > 1 else ''}, and {FOLDS} folds need at least {FOLDS} of each class; "
            "add rows, or leave the class out"
        )


def _enough_numbers(numbers: Labels, target: str) -> None:
    if len(numbers) < 2 * FOLDS:
        raise Mistake(f"the target {target!r} has {len(numbers)} rows, and {FOLDS} folds need at least {2 * FOLDS}")
    if np.ptp(numbers) == 0:
        raise Mistake(f"the target {target!r} is {numbers[0]:g} in every row; there is nothing to learn from")
    with np.errstate(over="ignore"):
        if not math.isfinite(float(np.sum(np.square(numbers)))):
            raise Mistake(f"the target {target!r}: its numbers are too large for float64 to square; scale them down")
