"""From labelled numbers to a described pipeline with golden rows; nothing is read and nothing is written."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.model_selection import StratifiedKFold, cross_val_score

from functions.inference.joblib_engine import JoblibEngine
from functions.registry.manifest import GoldenRow
from functions.signature import Feature, Signature
from training.describe import describe
from training.endings import Mistake
from training.golden import NARROWEST, golden_rows
from training.models.reference import REGULARISATION, grid, linear
from training.progress import Narrator
from training.search import Found, Rows, Where, search
from training.splitting import split
from training.tables.table import Table
from training.tables.target import Labels

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def iris() -> tuple[pd.DataFrame, Labels]:
    data = load_iris()
    return pd.DataFrame(data.data, columns=NAMES), np.array(["setosa", "versicolor", "virginica"], object)[data.target]


def fitted(features: pd.DataFrame, labels: Labels, seed: int = 0) -> Found:
    signature = describe(Table(features, labels, "y", 0, ""))
    folds = split(labels, "classification", share=0, seed=seed).folds
    plan = linear(signature, min(len(train) for train, _ in folds), seed)
    rows = Rows(features, labels, None, folds)
    return search([plan], rows, "classification", where=Where(), narrator=Narrator())


def golden(pipeline: Found, features: pd.DataFrame) -> list[GoldenRow]:
    signature = signature_of(features, pipeline)
    return golden_rows(JoblibEngine(pipeline.pipeline, signature), signature, features)


def signature_of(features: pd.DataFrame, pipeline: Found) -> Signature:
    return describe(Table(features, pipeline.pipeline.classes_, "y", 0, ""))


@pytest.mark.parametrize(
    ("features", "rows", "widths"),
    [
        (1, 100, [1]),
        (4, 100, [1, 2, 3, 4]),
        (6, 100, [1, 2, 3, 4, 5, 6]),
        (30, 1000, [1, 2, 4, 8, 15, 30]),
        (1000, 40, [1, 2, 4, 9, 19, 40]),
        (7, 7, [1, 2, 3, 5, 7]),
    ],
)
def test_the_grid_never_asks_for_more_components_than_there_are(
    features: int, rows: int, widths: Sequence[int]
) -> None:
    assert grid("classify__C", REGULARISATION, features, rows) == {
        "classify__C": REGULARISATION,
        "reduce__n_components": widths,
    }


def test_a_candidates_scores_are_scikit_learns_own_of_the_same_folds_and_the_best_is_chosen() -> None:
    features, labels = iris()
    found = fitted(features, labels, seed=3)
    folds = StratifiedKFold(3, shuffle=True, random_state=3)
    own = cross_val_score(found.pipeline, features, labels, cv=folds)
    best = found.candidates[found.best]
    assert best.fold_scores == pytest.approx(own.tolist(), abs=1e-12)
    assert [best.mean, best.std] == pytest.approx([own.mean(), own.std()], abs=1e-12)
    assert best.mean == max(candidate.mean for candidate in found.candidates) > 0.9
    assert len(found.candidates) == 20
    assert found.warnings == []


def test_the_same_seed_gives_the_same_pipeline_and_another_other_folds() -> None:
    features, labels = iris()
    one, same, other = (fitted(features, labels, seed) for seed in (1, 1, 2))
    assert scores(one) == scores(same)
    assert (one.pipeline.predict_proba(features) == same.pipeline.predict_proba(features)).all()
    assert scores(one) != scores(other)


def scores(found: Found) -> list[list[float]]:
    return [candidate.fold_scores for candidate in found.candidates]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (np.array([0, 7] * 10), [0, 7]),
        (np.array([True, False] * 10), [False, True]),
        (np.array(["b", "a"] * 10, dtype=object), ["a", "b"]),
    ],
)
def test_classes_keep_their_type(labels: Labels, classes: list[object]) -> None:
    features = pd.DataFrame({"x": np.arange(20.0) % 2 + np.arange(20) / 100})
    found = fitted(features, labels)
    signature = signature_of(features, found)
    assert signature.classes == classes
    assert [type(one) for one in signature.classes] == [type(one) for one in classes]
    assert {row.prediction for row in golden(found, features)} == set(classes)


def test_a_constant_column_is_no_obstacle() -> None:
    features, labels = iris()
    features["constant"] = 5.0
    found = fitted(features, labels)
    assert found.candidates[found.best].mean > 0.9
    assert found.warnings == []
    assert signature_of(features, found).features[-1] == Feature("constant", "float64", False, None, 5.0, 5.0, 5.0, 0.0)


def test_missing_values_are_stood_in_for_by_the_median_and_make_the_feature_nullable() -> None:
    features, labels = iris()
    features.loc[::7, "petal_width"] = np.nan
    found = fitted(features, labels)
    assert [name for name, _ in found.pipeline.steps] == ["impute", "scale", "reduce", "classify"]
    described = signature_of(features, found).features
    assert [feature.nullable for feature in described] == [False, False, False, True]
    medians = found.pipeline["impute"].statistics_
    assert medians.tolist() == features.median().tolist()
    rows = golden(found, features)
    assert any(row.row[3] is None for row in rows)


def test_a_column_that_is_empty_in_one_fold_stays_a_column() -> None:
    features, labels = iris()
    features["rare"] = np.nan
    features.loc[0, "rare"] = 1.0
    found = fitted(features, labels)
    assert found.pipeline.n_features_in_ == 5
    assert found.warnings == []


def test_the_description_is_of_the_numbers_that_are_there() -> None:
    features = pd.DataFrame({"x": [1.0, np.nan, 3.0, 8.0]})
    assert describe(Table(features, np.array([0, 1, 0, 1]), "y", 0, "")) == Signature(
        "classification",
        [Feature("x", "float64", True, None, 1.0, 8.0, 4.0, pytest.approx(2.943920288775949))],  # type: ignore[arg-type] # compared, never used
        "y",
        [0, 1],
    )


def test_numbers_too_large_to_average_are_refused() -> None:
    features = pd.DataFrame({"x": [1e308, 1.5e308, 1.7e308, 1.0]})
    with pytest.raises(Mistake) as raised:
        describe(Table(features, np.array([0, 1, 0, 1]), "y", 0, ""))
    assert str(raised.value) == "column 'x': its numbers are too large for float64 to average; scale them down"


def test_golden_rows_are_the_surest_and_least_sure_of_each_class_as_scikit_learn_sees_them() -> None:
    features, labels = iris()
    found = fitted(features, labels)
    rows = golden(found, features)
    table = pd.DataFrame([row.row for row in rows], columns=NAMES)
    assert [row.prediction for row in rows] == found.pipeline.predict(table).tolist()
    assert [row.probabilities for row in rows] == found.pipeline.predict_proba(table).tolist()
    assert {row.prediction for row in rows} == {"setosa", "versicolor", "virginica"}
    margins = {label: [] for label in ("setosa", "versicolor", "virginica")}  # type: dict[str, list[float]]
    for row in rows:
        ordered = sorted(row.probabilities or [])
        margins[str(row.prediction)].append(ordered[-1] - ordered[-2])
    everything = np.sort(found.pipeline.predict_proba(features), axis=1)
    spread = everything[:, -1] - everything[:, -2]
    for label, seen in margins.items():
        own = spread[found.pipeline.predict(features) == label]
        assert (min(seen), max(seen)) == pytest.approx((own[own > NARROWEST].min(), own.max()))


def test_a_row_on_the_border_is_no_golden_row_unless_there_is_no_other() -> None:
    features = pd.DataFrame({"x": [-2.0, -1.0, 0.0, 0.0, 1.0, 2.0] * 3})
    labels = np.array([0, 0, 0, 1, 1, 1] * 3)
    rows = golden(fitted(features, labels), features)
    assert 0.0 not in [row.row[0] for row in rows]
    undecided = pd.DataFrame({"x": [0.0, 1.0, 0.0, 1.0] * 3})
    same = golden(fitted(undecided, np.array([0, 0, 1, 1] * 3)), undecided)
    assert len(same) == 1
