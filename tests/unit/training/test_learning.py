"""Rows that judge a pipeline were in no fit before; the published one is fitted on all. Weights count everywhere."""

from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV

from training.describe import describe
from training.evidence import Evidence
from training.learning import learn
from training.models.own import Own
from training.models.plan import Plan
from training.order import Order
from training.progress import Narrator
from training.tables.roles import Wanted
from training.tables.table import Table

ROWS = 150
FITS: list[tuple[list[int], Any]] = []


class Recording(LogisticRegression):  # type: ignore[misc] # scikit-learn ships no types
    """Keeps which rows it was fitted on, and with which weights."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:  # noqa: N803 # scikit-learn's own names
        FITS.append((X.index.tolist(), sample_weight))
        return super().fit(X, y, sample_weight)


def table(**more: Any) -> Table:
    random = np.random.default_rng(0)
    features = pd.DataFrame(random.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
    labels = np.where(features["a"] + random.normal(size=ROWS) > 0, "yes", "no").astype(object)
    return Table(features, labels, "y", 0, "", **more)


def learnt(rows: Table, estimator: Any = None, **more: Any) -> Evidence:
    FITS.clear()
    order = Order("t.csv", Wanted("y"), None, None, None, None, None, 0, "me", **more)
    brought = None if estimator is None else Own(Plan("own", estimator, {}, own=True), ModuleType("own"), "")
    return learn(order, rows, describe(rows), brought, Narrator())


@pytest.mark.parametrize("kind", ["chance", "groups", "times"])
@pytest.mark.parametrize("searches", [False, True], ids=["estimator", "search"])
def test_no_held_out_row_is_in_any_fit_but_the_last(kind: str, searches: bool) -> None:
    more = {"chance": {}, "groups": {"groups": np.arange(ROWS) // 3}, "times": {"times": np.arange(ROWS)}}[kind]
    estimator = GridSearchCV(Recording(), {"C": [1, 10]}, cv=4) if searches else Recording()
    found = learnt(table(**more), estimator)
    assert found.held_out is not None
    held_out = set(found.held_out.features.index)
    *before, (last, _) = FITS
    assert len(held_out) >= 20
    assert len(before) >= 4
    assert all(not held_out & set(rows) for rows, _ in before)
    assert last == list(range(ROWS))
    assert set(found.train.index) == set(range(ROWS)) - held_out
    assert found.pipeline.coef_.tolist() != found.to_publish.coef_.tolist()


def test_figures_are_of_the_pipeline_that_has_not_seen_the_rows() -> None:
    found = learnt(table())
    assert found.held_out is not None
    right = found.pipeline.predict(found.held_out.features) == found.held_out.truth
    assert found.metrics[0].value == pytest.approx(right.mean())
    assert found.positive == "yes"


def test_of_a_table_too_small_the_figures_are_of_the_folds_and_the_fitted_pipeline_is_published() -> None:
    rows = table()
    small = Table(rows.features[:60], rows.labels[:60], "y", 0, "")
    found = learnt(small)
    assert (found.held_out, found.published) == (None, None)
    assert found.to_publish is found.pipeline
    assert found.metrics[0].value == pytest.approx(found.candidates[found.best].mean, abs=1e-9)  # folds of one size


def test_a_row_of_weight_nought_changes_nothing_and_each_weight_goes_with_its_row() -> None:
    weights = np.arange(ROWS) % 3 * 1.0
    found = learnt(table(weights=weights), Recording())
    assert all(given.tolist() == weights[rows].tolist() for rows, given in FITS)
    assert found.held_out is not None
    own = found.held_out.weights
    right = found.held_out.predicted == found.held_out.truth
    assert found.metrics[0].value == pytest.approx(np.average(right, weights=own))
    rows = table()
    other = rows.labels.copy()
    other[weights == 0] = np.where(other[weights == 0] == "yes", "no", "yes")
    changed = learnt(Table(rows.features, other, "y", 0, "", weights=weights), Recording(), share=0)
    same = learnt(table(weights=weights), Recording(), share=0)
    assert same.to_publish.coef_ == pytest.approx(changed.to_publish.coef_, abs=1e-3)


def test_of_numbers_the_mean_is_the_guess_to_beat() -> None:
    rows = table(task="regression")
    numbers = rows.features["a"].to_numpy() * 2 + 1
    found = learnt(Table(rows.features, numbers, "y", 0, "", task="regression"), Ridge())
    told = {one.name: (one.value, one.baseline, one.greater) for one in found.metrics}
    assert told["r2"][:2] == pytest.approx((1, 0), abs=0.2)
    assert told["r2"][2]
    assert told["rmse"][0] < (told["rmse"][1] or 0)
    assert not told["rmse"][2]
    assert found.candidates[found.best].fold_scores == pytest.approx([1, 1, 1], abs=0.01)
