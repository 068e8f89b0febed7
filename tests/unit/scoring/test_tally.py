import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from functions import loader
from functions.inference.model import ServedModel
from functions.registry.memory import MemoryStore
from functions.scoring.summary import ClassCounts, FeatureReport, Rows, Spread
from functions.scoring.tally import Counts, FeatureCounts, Tally
from functions.signature import Feature, Signature
from tests.models import publish_model
from tests.unit.scoring import harness
from tests.unit.scoring.harness import score


class Picky(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """A pipeline that refuses rows whose x is negative, as an encoder refuses an unseen category."""

    def __init__(self, error: type[Exception] = ValueError) -> None:
        self.error = error

    def fit(self, table: pd.DataFrame, labels: list[str]) -> "Picky":  # noqa: ARG002 # scikit-learn's signature
        self.classes_ = np.unique(labels)
        return self

    def predict(self, table: pd.DataFrame) -> Any:
        if (np.asarray(table) < 0).any():
            raise self.error("Found unknown categories [-1.0]\n in column 0 during transform")
        return np.array(["a"] * len(table))


class Dividing(RegressorMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """A pipeline whose answer is not finite where x is 0."""

    def fit(self, table: pd.DataFrame, labels: list[float]) -> "Dividing":  # noqa: ARG002 # scikit-learn's signature
        self.fitted_ = True
        return self

    def predict(self, table: pd.DataFrame) -> Any:
        with np.errstate(divide="ignore"):
            return 1 / np.asarray(table)[:, 0]


def served(pipeline: Any, labels: list[Any]) -> ServedModel:
    pipeline.fit(pd.DataFrame({"x": [1.0, 2.0]}), labels)
    store = MemoryStore()
    classes = [] if isinstance(pipeline, Dividing) else ["a", "b"]
    task = "classification" if classes else "regression"
    feature = Feature("x", "float64", False, None, 1.0, 2.0, 1.5, 0.5)
    signature = Signature(task, [feature], "y", classes)  # type: ignore[arg-type] # one of the two tasks
    publish_model(store, pipeline, signature, [[1.0]], name="one")
    return loader.load(store, loader.Reference("one"))


def test_a_row_the_model_itself_refuses_is_rejected_alone_and_in_its_place() -> None:
    rows = [b"1", b"-1", b"oops", b"2", b"-1", b"3"]
    found = score(b"x\n" + b"\n".join(rows), served(Picky(), ["a", "b"]))
    assert found.scored == b"x,prediction\n1,a\n2,a\n3,a"
    refuses = b"the model refuses this row: Found unknown categories [-1.0] in column 0 during transform"
    assert found.rejected == (
        b"line,reason,message,record\n"
        b'3,not_predictable,"' + refuses + b'","-1"\n'
        b"4,not_a_number,\"column 'x': found 'oops', expected a number\",\"oops\"\n"
        b'6,not_predictable,"' + refuses + b'","-1"\n'
    )
    assert found.tally.rows == Rows(6, 3, 3, 0)
    assert found.tally.predictions == ClassCounts({"a": 3, "b": 0})
    assert found.tally.features == {"x": FeatureReport(0.0, 1 / 3, None, 1.0)}


def test_a_row_answered_with_no_finite_number_is_rejected() -> None:
    found = score(b"x\n1\n0\n4\n", served(Dividing(), [1.0, 0.5]))
    assert found.scored == b"x,prediction\n1,1.0\n4,0.25\n"
    assert found.rejected == (
        b"line,reason,message,record\n"
        b'3,prediction_not_finite,"the model answers this row with a number that is not finite","0"\n'
    )
    assert found.tally.predictions == Spread(0.25, 0.625, 1.0)
    assert found.tally.features == {"x": FeatureReport(0.0, 0.5, None, 2.0)}


def test_rejected_rows_among_cells_that_hold_line_ends_are_told_by_their_physical_lines() -> None:
    rows = b"".join(b'"a\nb",%d\n' % (number % 2) for number in range(200))
    found = score(b"note,x\n" + rows, served(Dividing(), [1.0, 0.5]))
    assert found.rejected is not None
    lines = [line.split(b",")[0] for line in found.rejected.split(b"\n") if b"prediction_not_finite" in line]
    assert lines == [b"%d" % (2 + 4 * number) for number in range(100)]


@pytest.mark.parametrize(
    "error", [ValueError, KeyError, IndexError, ZeroDivisionError, OverflowError, TypeError, AttributeError]
)
def test_whatever_a_step_raises_for_a_cell_costs_that_row_and_no_other(error: type[Exception]) -> None:
    found = score(b"x\n1\n-1\n2\n", served(Picky(error), ["a", "b"]))
    assert found.scored == b"x,prediction\n1,a\n2,a\n"
    assert found.tally.reasons == {"not_predictable": 1}


def test_an_engine_asked_about_numbers_that_overflow_in_it_warns_of_nothing() -> None:
    with pytest.raises(ValueError, match="Input X contains infinity"):  # a warning is an error in tests
        harness.served("price").engine.predict_rows([[1.7e308, 1.7e308]])


def test_numbers_that_overflow_in_the_model_are_rejected_without_a_warning() -> None:
    found = score(b"x,y\n1,1\n" + b"1.7e308,1.7e308\n-1.7e308,1.7e308\n" * 100, "price")
    assert found.tally.rows == Rows(201, 1, 200, 0)
    assert found.tally.reasons == {"not_predictable": 200}  # by the step behind the one that overflows


def test_finite_answers_whose_sum_is_not_are_kept() -> None:
    found = score(b"x\n" + b"6e-309\n" * 10, served(Dividing(), [1.0, 0.5]))
    assert found.tally.rows == Rows(10, 10, 0, 0)


def test_without_rows_there_is_nothing_to_compare() -> None:
    found = score(b"x\n", served(Dividing(), [1.0, 0.5]))
    assert found.tally.predictions == Spread(None, None, None)
    assert found.tally.features == {"x": FeatureReport(None, None, None, None)}


def test_each_kind_of_feature_reports_what_applies_to_it() -> None:
    found = score(b"age,city,member\n,Bern,1\n35,,0\n70,Oslo,\nNA,Genf,1\n", "mixed")
    assert found.tally.features == {
        "age": FeatureReport(missing=0.5, out_of_range=0.5, unseen=None, drift=1.25),
        "city": FeatureReport(missing=0.25, out_of_range=None, unseen=1 / 3, drift=None),
        "member": FeatureReport(missing=0.25, out_of_range=None, unseen=None, drift=None),
    }


def test_numbers_below_the_training_range_are_out_of_it_and_drift_downwards() -> None:
    found = score(b"x\n0\n1\n", served(Picky(), ["a", "b"]))
    assert found.tally.features == {"x": FeatureReport(missing=0.0, out_of_range=0.5, unseen=None, drift=-2.0)}


def test_a_drift_that_is_no_finite_number_is_left_out() -> None:
    found = score(b"x\n1e308\n1e308\n", served(Picky(), ["a", "b"]))
    assert found.tally.features["x"].drift is None


@pytest.mark.parametrize("rows", [1, 1000])
def test_counts_do_not_depend_on_how_many_rows_come_at_once(rows: int) -> None:
    text = b"x,y\n" + b"0.5,1.5\n" * rows
    found = score(text, "price")
    assert isinstance(found.tally.predictions, Spread)
    assert found.tally.predictions.minimum == found.tally.predictions.maximum
    assert math.isclose(found.tally.predictions.mean or 0, found.tally.predictions.minimum or 1)
    assert found.tally.rows == Rows(rows, rows, 0, 0)


def test_parts_count_together_what_each_of_them_counted() -> None:
    signature = harness.served("price").signature
    parts = [
        Counts(2, 1, 1, 4, {"ragged_row": 1}, [], 1.0, 9.0, 10.0, [FeatureCounts(2, 1, 0, 0.5), FeatureCounts(1)]),
        Counts(0, 0, 0, 1, {"bare_cr": 1}, [], None, None, 0.0, [FeatureCounts(), FeatureCounts()]),
        Counts(3, 2, 4, 6, {"ragged_row": 1}, [], -2.0, 5.0, 4.0, [FeatureCounts(3, 1, 0, 0.25), FeatureCounts(3, 2)]),
        Counts(1, 0, 0, 1, {}, [], 3.0, 3.0, 3.0, [FeatureCounts(1), FeatureCounts(1)]),
    ]
    whole = Tally.merged(signature, parts)
    features = [FeatureCounts(6, 2, 0, 0.75), FeatureCounts(5, 2)]
    assert whole.counts() == Counts(6, 3, 5, 12, {"ragged_row": 2, "bare_cr": 1}, [], -2.0, 9.0, 17.0, features)
    assert whole.rows == Rows(input=9, scored=6, rejected=3, blank=3)
    assert whole.predictions == Spread(-2.0, 17 / 6, 9.0)
