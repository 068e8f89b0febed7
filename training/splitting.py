"""Which rows are held out, and how the others are folded, so that nothing of a row's answer leaks. It fits nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    train_test_split,
)

from functions.signature import Task
from training.endings import Mistake
from training.tables.target import FOLDS

FEWEST_HELD_OUT = 20
"""Of fewer rows no figure is worth its interval; then all rows are searched, and their folds give the figures."""

Rows: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Folds: TypeAlias = list[tuple[Rows, Rows]]


@dataclass(frozen=True, slots=True)
class Split:
    """train, test: places of rows; no row is in both. folds: pairs of places within `train`. words: how, for readers.

    test is None where nothing is held out.
    """

    train: Rows
    test: Rows | None
    folds: Folds
    words: str


def split(truth: Any, task: Task, *, share: float, seed: int, groups: Any = None, times: Any = None) -> Split:
    """Holds out about `share` of n rows and folds the rest; the same seed, the same rows.

    truth: n labels or numbers. groups: n whole numbers; no group is on both sides of a line. times: n numbers; what is
    predicted is never earlier than what it is predicted from. Raises Mistake where there are too few groups or times.
    """
    if groups is not None and times is not None:
        raise Mistake("give --group or --time, not both")
    rows = np.arange(len(truth))
    test, words = _held_out(truth, task, share, seed, groups, times)
    train = rows if test is None else np.setdiff1d(rows, test)
    own = None if groups is None else groups[train]
    folds = list(_folds(truth[train], task, seed, own, None if times is None else times[train]))
    _learnable(truth[train], task, folds)
    return Split(train, test, folds, words)


def _held_out(truth: Any, task: Task, share: float, seed: int, groups: Any, times: Any) -> tuple[Rows | None, str]:
    rows = len(truth)
    if share == 0:
        return None, "no row held out, as --test-share says; the figures are of the folds, which the search saw"
    if round(share * rows) < FEWEST_HELD_OUT:
        few = f"{round(share * rows)} of {rows} rows are too few to hold out"
        return None, f"no row held out, for {few}; the figures are of the folds, which the search saw"
    if times is not None:
        test, how = _latest(times, share), "the latest"
    elif groups is not None:
        test, how = _some_groups(truth, task, share, seed, groups), "whole groups"
    else:
        test, how = _by_chance(truth, task, share, seed), "by chance"
        if task == "classification":
            how += " within each class"
    problem = _problem(truth, task, test)
    if problem:
        return None, f"no row held out, for {problem}; the figures are of the folds, which the search saw"
    return test, f"{len(test)} of {rows} rows held out, {how}"


def _problem(truth: Any, task: Task, test: Rows) -> str:
    if task == "regression":
        return ""
    classes, places = np.unique(truth, return_inverse=True)
    held = np.bincount(places[test], minlength=len(classes))
    fewest = np.bincount(places, minlength=len(classes)) - held
    if fewest.min() < FOLDS:
        return f"class {classes.tolist()[int(fewest.argmin())]!r} would have fewer than {FOLDS} rows left to learn from"
    return ""


def _by_chance(truth: Any, task: Task, share: float, seed: int) -> Rows:
    strata = truth if task == "classification" else None
    if strata is not None and (np.unique(strata).size > round(share * len(truth))):
        strata = None  # a row of each class is more than the share
    _, test = train_test_split(np.arange(len(truth)), test_size=share, random_state=seed, stratify=strata)
    return np.sort(test)


def _some_groups(truth: Any, task: Task, share: float, seed: int, groups: Any) -> Rows:
    parts = max(2, round(1 / share))
    _enough_groups(groups, max(parts, FOLDS + 1))
    if task == "classification":
        folds = StratifiedGroupKFold(parts, shuffle=True, random_state=seed)
    else:
        folds = GroupShuffleSplit(1, test_size=share, random_state=seed)
    return np.sort(next(iter(folds.split(truth, truth, groups)))[1])


def _latest(times: Any, share: float) -> Rows:
    """The rows from some moment on; rows of one moment stay together."""
    cut = np.sort(times)[round((1 - share) * len(times))]
    late = times >= cut if (times < cut).any() else times > cut
    if not late.any():
        raise Mistake("every row has the same --time; there is no earlier and later")
    return np.flatnonzero(late)


def _folds(truth: Any, task: Task, seed: int, groups: Any, times: Any) -> Iterator[tuple[Rows, Rows]]:
    if times is not None:
        return _forward(times)
    if groups is not None:
        _enough_groups(groups, FOLDS)
        kind = StratifiedGroupKFold if task == "classification" else GroupKFold
        return iter(kind(FOLDS, shuffle=True, random_state=seed).split(truth, truth, groups))
    kind = StratifiedKFold if task == "classification" else KFold
    return iter(kind(FOLDS, shuffle=True, random_state=seed).split(truth, truth))


def _forward(times: Any) -> Iterator[tuple[Rows, Rows]]:
    """Each fold predicts a stretch of time from all that was before it."""
    ordered = np.sort(times)
    cuts = [ordered[round(step * len(times) / (FOLDS + 1))] for step in range(1, FOLDS + 1)]
    for start, stop in zip(cuts, [*cuts[1:], np.inf], strict=True):
        before, during = np.flatnonzero(times < start), np.flatnonzero((times >= start) & (times < stop))
        if not len(before) or not len(during):
            most = np.unique(times, return_counts=True)[1].max()
            raise Mistake(
                f"{most} of the {len(times)} rows to learn from have the same --time; "
                f"{FOLDS} folds need earlier and later"
            )
        yield before, during


def _enough_groups(groups: Any, needed: int) -> None:
    there = len(np.unique(groups))
    if there < needed:
        raise Mistake(
            f"--group has {there} different group{'s' if there > 1 else ''}, and at least {needed} are needed"
        )


def _learnable(truth: Any, task: Task, folds: Sequence[tuple[Rows, Rows]]) -> None:
    if task == "regression":
        return
    for number, (train, _) in enumerate(folds, 1):
        if len(np.unique(truth[train])) < 2:
            raise Mistake(
                f"fold {number} learns from rows of a single class; by --group or --time the classes are too unevenly "
                "spread to compare models on them"
            )
