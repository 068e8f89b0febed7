"""What of the report a table shows: its order, and how much of it. It words and draws nothing."""

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

from functions.signature import Label
from training.card.report import Report
from training.card.sections.columns import Column
from training.card.sections.confusion import ClassScore, Confusion
from training.card.sections.scores import Score
from training.card.sections.search import Search, Tried
from training.card.sections.target import ClassRows, Target

MOST_COLUMNS = 60
MOST_CANDIDATES = 15
MOST_CLASSES = 20
MOST_CONFUSED = 12
LONGEST_HEAD = 16

SHORT = {"root_mean_squared_error": "rmse", "mean_absolute_error": "mae", "mean_squared_error": "mse"}
MOST_FEATURES = 20
MOST_CATEGORIES = 4

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Shown(Generic[Row]):
    """The rows that are shown, and how many there are beyond."""

    rows: list[Row]
    more: int


def first(rows: list[Row], most: int) -> Shown[Row]:
    """The first of them; one row more than `most` is shown too, for a line that says so would take its place."""
    if len(rows) <= most + 1:
        return Shown(rows, 0)
    return Shown(rows[:most], len(rows) - most)


def headline(report: Report) -> Score | None:
    """The held-out figure that says most: the one that was searched for, else the first."""
    wanted = report.cross_validation.scoring.removeprefix("neg_") if report.cross_validation else ""
    known = [one for one in report.held_out if one.value is not None]
    named = [one for one in known if one.name.removeprefix("neg_") in (wanted, SHORT.get(wanted))]
    return next(iter([*named, *known]), None)


def features(report: Report) -> Shown[Column]:
    return first([one for one in report.columns if one.role != "dropped"], MOST_COLUMNS)


def dropped(report: Report) -> Shown[Column]:
    return first([one for one in report.columns if one.role == "dropped"], MOST_COLUMNS)


def with_gaps(report: Report) -> Shown[Column]:
    """Columns with missing cells, the emptiest first."""
    gaps = [one for one in report.columns if one.missing]
    return first(sorted(gaps, key=lambda one: -one.missing), MOST_FEATURES)


def candidates(search: Search | None) -> list[tuple[int, Tried]]:
    """The chosen one first and then by their mean, with their ranks; those that failed are last."""
    if search is None:
        return []
    chosen = search.candidates[search.best]

    def order(one: Tried) -> tuple[bool, float]:
        return one is not chosen, math.inf if one.mean is None else -one.mean

    return list(enumerate(sorted(search.candidates, key=order), 1))


@dataclass(frozen=True, slots=True)
class Matrix:
    """counts[i][j]: rows of class labels[i] taken for labels[j]. The last may stand for `others` classes together."""

    labels: list[Label]
    others: int
    counts: list[list[int]]

    @property
    def numbered(self) -> bool:
        """Whether the columns are told by numbers, for the names would not fit beside each other."""
        return len(self.labels) > 6 or any(len(str(label)) > LONGEST_HEAD for label in self.labels)


def matrix(confusion: Confusion) -> Matrix:
    """The classes with the most rows; those beyond MOST_CONFUSED are one line and one column."""
    classes = first(sorted(confusion.classes, key=lambda one: -(one.rows + one.predicted)), MOST_CONFUSED).rows
    kept = [one.label for one in confusion.classes if one in classes]
    others = len(confusion.classes) - len(kept)
    place = {(type(label), label): index for index, label in enumerate(kept)}
    width = len(kept) + (1 if others else 0)
    counts = [[0] * width for _ in range(width)]
    for cell in confusion.cells:
        true = place.get((type(cell.truth), cell.truth), width - 1)
        predicted = place.get((type(cell.predicted), cell.predicted), width - 1)
        counts[true][predicted] += cell.rows
    return Matrix(kept, others, counts)


def shade(matrix: Matrix, true: int, predicted: int) -> str:
    """Whether a cell's rows were found right ("hit") or not ("miss"); "none" where it has none, or may hold both."""
    together = matrix.others and true == predicted == len(matrix.labels)
    if together or not matrix.counts[true][predicted]:
        return "none"
    return "hit" if true == predicted else "miss"


def worst(confusion: Confusion) -> Shown[ClassScore]:
    """Each class, or where they are many, those that are found worst."""
    classes = confusion.classes
    if len(classes) > MOST_CLASSES + 1:
        classes = sorted(classes, key=lambda one: (one.f1 is None, one.f1 or 0.0))
    return first(classes, MOST_CLASSES)


def balance(target: Target) -> Shown[ClassRows]:
    """Each class, or where they are many, those with the most fitted rows."""
    classes = target.classes or []
    if len(classes) > MOST_CLASSES + 1:
        classes = sorted(classes, key=lambda one: -one.fitted)
    return first(classes, MOST_CLASSES)
