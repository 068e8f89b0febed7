"""The gate: a twin is served only where it answers as scikit-learn does, row by row, through the engine that serves."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, NuSVC

from functions.inference.engine import Engine, Predictions
from functions.inference.joblib_engine import JoblibEngine
from functions.inference.onnx_engine import OnnxEngine
from functions.inference.onnx_runtime import OnnxRuntimeError
from functions.registry.manifest import Parity
from functions.signature import Cell, Signature
from training.probes import Table, columns_of, probes
from training.twin.export import export
from training.twin.graph import NotConvertible, Precision

TOLERANCE = 1e-5
"""Absolute for probabilities; for values relative to them, or to a thousandth of their spread where that is more."""

PRECISIONS: tuple[Precision, ...] = ("double", "single")

AS_ROWS, ALONE = 200, 20  # of each table so many are also asked as requests are, and so many of those one by one


@dataclass(frozen=True, slots=True)
class Twin:
    """A model that passed, and how it compared."""

    model: bytes
    parity: Parity


class NoTwin(Exception):
    """Why a pipeline is served by scikit-learn: one clause."""


def twin_of(pipeline: Any, signature: Signature, features: pd.DataFrame) -> Twin:
    """The twin in double precision, else in single. `features` are the training rows. Raises NoTwin."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of rows that are meant to be odd
        gate: _Gate | None = None
        reasons = []
        for precision in PRECISIONS:
            try:
                model = export(pipeline, signature, precision)
                engine = OnnxEngine(model, signature)
                gate = gate or _Gate(pipeline, signature, features)
                return Twin(model, gate.compare(engine, precision))
            except (NotConvertible, OnnxRuntimeError, _Different) as error:
                reasons.append(error)
    # A comparison that failed says more than a conversion that did.
    told = next((reason for reason in reasons if isinstance(reason, _Different)), reasons[0])
    raise NoTwin(" ".join(str(told).split()))


class _Different(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Answers:
    """Of n rows. answered: bool, false for a row that was refused or has no finite answer; the others hold 0 there."""

    answered: Any
    classes: Any
    probabilities: Any
    values: Any

    def first(self, rows: int) -> "_Answers":
        cut = (None if part is None else part[:rows] for part in (self.classes, self.probabilities, self.values))
        return _Answers(self.answered[:rows], *cut)


class _Gate:
    def __init__(self, pipeline: Any, signature: Signature, features: pd.DataFrame) -> None:
        self._signature = signature
        self._pipeline = pipeline
        self._reference = JoblibEngine(pipeline, signature)
        self._tables: list[tuple[Table, _Answers, Any]] = []
        training = columns_of(features, signature)
        for table in probes(signature, training, self._single_answer):
            expected = _ask(self._reference.predict_columns, table)
            self._tables.append((table, expected, self._ties(table, expected)))
        values = self._tables[0][1].values
        self._smallest = 0.0 if values is None else 1e-3 * float(np.std(values))

    def compare(self, engine: Engine, precision: Precision) -> Parity:
        """The figures of a twin that passes. Raises _Different at the first table on which it does not."""

        def by_rows(table: Table) -> Predictions:
            return engine.predict_rows(_cells(table, self._signature))

        rows = ties = 0
        largest = 0.0
        for table, expected, tied in self._tables:
            found = _ask(engine.predict_columns, table)
            largest = max(largest, self._difference(expected, found, tied))
            few = _ask(by_rows, [cells[:AS_ROWS] for cells in table], min(ALONE, len(tied)))
            largest = max(largest, self._difference(expected.first(AS_ROWS), few, tied[:AS_ROWS]))
            rows, ties = rows + len(tied), ties + int(tied.sum())
        return Parity(rows=rows, ties=ties, label_differences=0, largest_difference=largest, precision=precision)

    def _difference(self, expected: _Answers, found: _Answers, tied: Any) -> float:
        """The largest difference of a number. Raises _Different."""
        for one, verbs in (
            (found, "answers {} of {} rows that scikit-learn refuses"),
            (expected, "refuses {} of {} rows that scikit-learn answers"),
        ):
            other = one.answered & ~(expected.answered & found.answered)
            if other.any():
                raise _Different("the twin " + verbs.format(int(other.sum()), len(other)))
        if not expected.answered.any():
            return 0.0
        if expected.values is not None:
            scale = np.maximum(np.abs(expected.values), self._smallest)
            difference = np.abs(expected.values - found.values)
            worst = float(
                np.max(np.divide(difference, scale, out=np.zeros_like(scale), where=difference > 0), initial=0.0)
            )
            if not worst <= TOLERANCE:
                raise _Different(
                    f"a value of the twin is {worst:.1e} away from scikit-learn's, of {TOLERANCE:.0e} allowed"
                )
            return worst
        wrong = (expected.classes != found.classes) & ~tied
        if wrong.any():
            raise _Different(f"the twin gives {int(wrong.sum())} of {len(wrong)} rows another label")
        if (expected.probabilities is None) != (found.probabilities is None):
            raise _Different("one of twin and scikit-learn has probabilities, the other has none")
        if expected.probabilities is None:
            return 0.0
        worst = float(np.max(np.abs(expected.probabilities - found.probabilities), initial=0.0))
        if not worst <= TOLERANCE:
            raise _Different(
                f"a probability of the twin is {worst:.1e} away from scikit-learn's, of {TOLERANCE:.0e} allowed"
            )
        return worst

    def _single_answer(self, table: Table) -> Any:
        found = _ask(self._reference.predict_columns, table)
        if not found.answered.any():
            return np.full(len(found.answered), np.nan)
        return np.where(found.answered, found.classes if found.values is None else found.values, np.nan)

    def _ties(self, table: Table, expected: _Answers) -> Any:
        """Rows whose two best classes are within TOLERANCE, by scikit-learn's own probabilities or decision."""
        tied = np.zeros(len(expected.answered), dtype=bool)
        if expected.probabilities is not None:
            tied |= _narrow(expected.probabilities)
        own = np.flatnonzero(expected.answered)
        if expected.values is None and len(own) and hasattr(self._pipeline, "decision_function"):
            rows = self._reference.table([cells[own] for cells in table])
            tied[own] |= _narrow_decision(self._pipeline, rows)
        return tied & expected.answered


def _narrow_decision(pipeline: Any, rows: Any) -> Any:
    """Whether scikit-learn's decision is narrow, n booleans. Among several classes an SVC decides pair by pair."""
    last = pipeline
    while isinstance(last, Pipeline | BaseSearchCV):
        last = last.best_estimator_ if isinstance(last, BaseSearchCV) else last.steps[-1][1]
    if isinstance(last, SVC | NuSVC) and len(last.classes_) > 2:
        shape, last.decision_function_shape = last.decision_function_shape, "ovo"
        try:
            return (np.abs(pipeline.decision_function(rows)) <= TOLERANCE).any(axis=1)
        finally:
            last.decision_function_shape = shape
    scores = np.asarray(pipeline.decision_function(rows))
    return np.abs(scores) <= TOLERANCE if scores.ndim == 1 else _narrow(scores)


def _narrow(scores: Any) -> Any:
    best = np.sort(scores, axis=1)[:, -2:]
    return best[:, 1] - best[:, 0] <= TOLERANCE


def _ask(predict: Callable[[Table], Predictions], table: Table, alone: int = 0) -> _Answers:
    """What an engine says of a table, its first rows one by one; rows that it refuses are found by halving."""
    rows = len(table[0])
    answered = np.zeros(rows, dtype=bool)
    parts: list[tuple[slice, Predictions]] = []
    waiting = [(alone, rows), *((row, row + 1) for row in range(alone))]
    while waiting:
        start, stop = waiting.pop()
        if start == stop:
            continue
        try:
            parts.append((slice(start, stop), predict([cells[start:stop] for cells in table])))
        except Exception:  # whatever a pipeline raises, the row gets no answer
            if stop - start > 1:
                middle = (start + stop) // 2
                waiting += [(start, middle), (middle, stop)]
        else:
            answered[start:stop] = True
    classes, probabilities, values = (
        _joined(rows, [(own, getattr(found, name)) for own, found in parts])
        for name in ("classes", "probabilities", "values")
    )
    for numbers in (probabilities, values):
        if numbers is not None:
            answered &= np.isfinite(numbers.reshape(rows, -1)).all(axis=1)
            numbers[~answered] = 0
    return _Answers(answered, classes, probabilities, values)


def _joined(rows: int, parts: list[tuple[slice, Any]]) -> Any:
    """One array of n rows, 0 where no part is; None where the engine gives none."""
    known = [(own, np.asarray(part)) for own, part in parts if part is not None]
    if not known:
        return None
    joined = np.zeros((rows, *known[0][1].shape[1:]), dtype=known[0][1].dtype)
    for own, part in known:
        joined[own] = part
    return joined


def _cells(table: Table, signature: Signature) -> list[list[Cell]]:
    """The rows of a table as `predict_rows` takes them."""
    columns = [
        [
            None if cell is None or cell != cell else bool(cell) if feature.dtype == "bool" else cell
            for cell in cells.tolist()
        ]
        for cells, feature in zip(table, signature.features, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]
