"""The gate: a twin is served only where it answers as scikit-learn does, row by row, through the engine that serves."""

import textwrap
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC, NuSVC
from threadpoolctl import threadpool_limits

from functions.inference.engine import Engine, Predictions
from functions.inference.joblib_engine import JoblibEngine
from functions.inference.onnx_engine import OnnxEngine
from functions.inference.onnx_runtime import OnnxRuntimeError
from functions.registry.manifest import Parity
from functions.signature import Signature
from training.asking import ANSWERED, NOT_ASKED, NOT_FINITE, REFUSED, Answers, as_cells, ask
from training.probes import Table, columns_of, probes
from training.twin.export import export
from training.twin.graph import NotConvertible, Precision

LONGEST = 300  # characters of a reason

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
    """Why a pipeline is served by scikit-learn: one line."""


def twin_of(pipeline: Any, signature: Signature, features: pd.DataFrame) -> Twin:
    """The twin in double precision, else in single. `features` are the training rows. Raises NoTwin and nothing else.

    Estimators can be anybody's, and raise anything: no pipeline that was fitted is lost for want of a twin.
    """
    # One thread: so many small tables take longer with two. No warnings: rows are meant to be odd.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gate: _Gate | None = None
        reasons: list[Exception] = []
        for precision in PRECISIONS:
            try:
                model = export(pipeline, signature, precision)
                engine = OnnxEngine(model, signature)
                gate = gate or _Gate(pipeline, signature, features)
                return Twin(model, gate.compare(engine, precision))
            except Exception as error:
                reasons.append(error)
    # A comparison that failed says more than a conversion that did.
    raise NoTwin(_line(next((reason for reason in reasons if isinstance(reason, _Different)), reasons[0])))


def _line(error: Exception) -> str:
    known = isinstance(error, NotConvertible | OnnxRuntimeError | _Different)
    told = str(error) if known else f"{type(error).__name__}: {error}".removesuffix(": ")
    return textwrap.shorten(told, LONGEST, placeholder="…")


class _Different(Exception):
    pass


class _Gate:
    def __init__(self, pipeline: Any, signature: Signature, features: pd.DataFrame) -> None:
        self._signature = signature
        self._pipeline = pipeline
        self._reference = JoblibEngine(pipeline, signature)
        self._answers_alone = JoblibEngine(_LabelsAlone(pipeline), signature)
        self._tables: list[tuple[Table, Answers, Any]] = []
        training = columns_of(features, signature)
        self._add(training, excused=False)
        for table in probes(signature, training, self._single_answer):
            self._add(table, excused=True)
        values = self._tables[0][1].values
        self._smallest = 0.0 if values is None else 1e-3 * float(np.std(values))

    def _add(self, table: Table, *, excused: bool) -> None:
        """`excused`: in a tie another label will do. The gate looks for ties; rows of training just have them."""
        expected = ask(self._reference.predict_columns, table)
        asked = np.flatnonzero(expected.state != NOT_ASKED)
        table, expected = [cells[asked] for cells in table], expected.only(asked)
        tied = self._ties(table, expected) if excused else np.zeros(len(asked), dtype=bool)
        self._tables.append((table, expected, tied))

    def compare(self, engine: Engine, precision: Precision) -> Parity:
        """The figures of a twin that passes. Raises _Different at the first table on which it does not."""

        def by_rows(table: Table) -> Predictions:
            return engine.predict_rows(as_cells(table, self._signature))

        rows = ties = others = 0
        largest = 0.0
        for table, expected, tied in self._tables:
            found = ask(engine.predict_columns, table, most_refused=len(tied))
            if found.classes is not None and expected.classes is not None:
                others += int((found.classes != expected.classes).sum())
            largest = max(largest, self._difference(expected, found, tied))
            some = [cells[:AS_ROWS] for cells in table]
            few = ask(by_rows, some, alone=min(ALONE, len(tied)), most_refused=len(tied))
            largest = max(largest, self._difference(expected.only(slice(AS_ROWS)), few, tied[:AS_ROWS]))
            rows, ties = rows + len(tied), ties + int(tied.sum())
        made = rows - len(self._tables[0][2])
        return Parity(rows, ties, others, largest, precision, made)

    def _difference(self, expected: Answers, found: Answers, tied: Any) -> float:
        """The largest difference of a number. Raises _Different."""
        _same_rows_answered(expected, found)
        if not expected.answered.any():
            return 0.0
        if expected.values is not None:
            return self._of_values(expected.values, found.values)
        if found.classes is None:
            raise _Different("the twin has no labels")
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

    def _of_values(self, expected: Any, found: Any) -> float:
        if found is None:
            raise _Different("the twin has no values")
        scale = np.maximum(np.abs(expected), self._smallest)
        difference = np.abs(expected - found)
        worst = float(np.max(np.divide(difference, scale, out=np.zeros_like(scale), where=difference > 0), initial=0.0))
        if not worst <= TOLERANCE:
            raise _Different(f"a value of the twin is {worst:.1e} away from scikit-learn's, of {TOLERANCE:.0e} allowed")
        return worst

    def _single_answer(self, table: Table) -> Any:
        """One number for each row, without the probabilities, which take as long again."""
        found = ask(self._answers_alone.predict_columns, table)
        numbers = found.classes if found.values is None else found.values
        return np.full(len(found.state), np.nan) if numbers is None else np.where(found.answered, numbers, np.nan)

    def _ties(self, table: Table, expected: Answers) -> Any:
        """Rows whose two best classes are within TOLERANCE, by scikit-learn's own probabilities or decision."""
        tied = np.zeros(len(expected.state), dtype=bool)
        if expected.probabilities is not None:
            tied |= _narrow(expected.probabilities)
        own = np.flatnonzero(expected.answered)
        if expected.values is None and len(own) and hasattr(self._pipeline, "decision_function"):
            rows = self._reference.table([cells[own] for cells in table])
            tied[own] |= _narrow_decision(self._pipeline, rows)
        return tied & expected.answered


def _same_rows_answered(expected: Answers, found: Answers) -> None:
    other = np.flatnonzero(expected.state != found.state)
    if len(other):
        one, its = int(found.state[other[0]]), int(expected.state[other[0]])
        count = int(((found.state == one) & (expected.state == its)).sum())
        raise _Different(
            f"the twin {_VERBS[one]} {count} of {len(expected.state)} rows that scikit-learn {_VERBS[its]}"
        )


_VERBS = {ANSWERED: "answers", REFUSED: "refuses", NOT_FINITE: "has no finite number for"}


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


class _LabelsAlone:
    """A pipeline without its probabilities."""

    def __init__(self, pipeline: Any) -> None:
        self.predict = pipeline.predict
        if hasattr(pipeline, "feature_names_in_"):
            self.feature_names_in_ = pipeline.feature_names_in_
