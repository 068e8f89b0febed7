"""The target's texts become class labels: whole numbers, booleans, or texts as written. It knows no file."""

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from functions.inference import cells
from functions.signature import Label
from training.endings import Mistake

Labels: TypeAlias = np.ndarray[tuple[int], np.dtype[Any]]

FOLDS = 3
MOST_FRACTIONAL_CLASSES = 20
EXACT = 2**53


def read_labels(texts: np.ndarray[tuple[int], np.dtype[np.object_]], target: str) -> tuple[Labels, Labels]:
    """The labels of the rows that have one (int64, bool or object), and which rows have (n booleans).

    All whole numbers: integers (with leading zeros they are codes, and texts). All true/false: booleans. Else texts.
    Raises Mistake for a continuous target, for a single class, and for a class with fewer rows than folds.
    """
    codes, uniques = pd.factorize(texts)
    spelled = [str(text) for text in uniques]
    values, dtype = _values(spelled, target, codes)
    present = np.array([value is not None for value in values], dtype=bool)[codes]
    table = np.empty(len(values), dtype=object)
    table[:] = values
    labels: Labels = table[codes[present]].astype(dtype)
    _enough(labels, target)
    return labels, present


def _values(spelled: list[str], target: str, codes: Labels) -> tuple[list[Label | None], type]:
    whole = _all(spelled, _whole)
    if whole is not None:
        return whole, np.int64
    numbers = _all(spelled, lambda text: cells.read(text, "float64"))
    if numbers is not None:
        _refuse_continuous(numbers, target, len(codes))
    else:
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


def _refuse_continuous(numbers: list[float | None], target: str, rows: int) -> None:
    fractional = [number for number in numbers if number is not None and math.floor(number) != number]
    different = len({number for number in numbers if number is not None})
    if fractional and (different > MOST_FRACTIONAL_CLASSES or different * FOLDS > rows):
        raise Mistake(
            f"the target {target!r} is continuous ({different} different numbers such as {fractional[0]:g}), "
            "and only classes can be learnt; name another --target, or cut it into classes"
        )


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
