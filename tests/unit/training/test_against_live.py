"""The live version is asked about the very rows that the new one is judged by, and what is unfair about it is said."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from functions.gate import Comparison
from functions.registry.memory import MemoryStore
from functions.signature import Feature, Signature
from tests.models import IRIS, VERSION, iris_signature, publish_iris, publish_mixed, publish_regression
from training.against_live import compare
from training.evidence import HeldOut

OTHER_FILE = "the live version was fitted on another file; whether these rows were in it is not known"
SAME_FILE = "the live version was fitted on this very file, these rows with it, which flatters it"
ROWS = [[5.1, 3.5, 1.4, 0.2], [7.0, 3.2, 4.7, 1.4], [6.3, 3.3, 6.0, 2.5], [4.9, 3.0, 1.4, 0.2]]
TRUTH = ["setosa", "versicolor", "virginica", "setosa"]


def held_out(features: pd.DataFrame, truth: list[Any], predicted: list[Any], weights: Any = None) -> HeldOut:
    return HeldOut(features, np.array(truth), np.array(predicted), None, weights)


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    publish_iris(made)
    return made


@pytest.fixture
def iris() -> pd.DataFrame:
    return pd.DataFrame(ROWS, columns=IRIS)


def test_both_are_scored_on_the_same_rows(store: MemoryStore, iris: pd.DataFrame) -> None:
    rows = held_out(iris, TRUTH, ["setosa", "setosa", "setosa", "setosa"])
    assert compare(store, "iris", VERSION, rows, iris_signature(), "1" * 64) == Comparison(
        VERSION, 0.5, 1.0, 4, "", (OTHER_FILE,)
    )


def test_rows_weigh_what_they_weigh(store: MemoryStore, iris: pd.DataFrame) -> None:
    rows = held_out(iris, TRUTH, ["setosa", "setosa", "setosa", "setosa"], np.array([1.0, 7.0, 1.0, 1.0]))
    assert compare(store, "iris", VERSION, rows, iris_signature(), "").own == 0.2


def test_that_the_live_version_saw_these_rows_is_said(store: MemoryStore, iris: pd.DataFrame) -> None:
    found = compare(store, "iris", VERSION, held_out(iris, TRUTH, TRUTH), iris_signature(), "0" * 64)
    assert found.notes == (SAME_FILE,)


def test_the_order_of_columns_is_the_live_versions_own(store: MemoryStore, iris: pd.DataFrame) -> None:
    turned = iris[IRIS[::-1]].assign(height=1.0)
    features = [*iris_signature().features[::-1], Feature("height", "float64", False)]
    signature = Signature("classification", features, "species", ["setosa", "versicolor", "virginica"])
    found = compare(store, "iris", VERSION, held_out(turned, TRUTH, TRUTH), signature, "")
    assert (found.own, found.live, found.notes) == (
        1.0, 1.0, ("the live version does not take height", OTHER_FILE),
    )  # fmt: skip


def test_rows_that_the_live_version_refuses_count_for_neither(store: MemoryStore, iris: pd.DataFrame) -> None:
    iris.loc[1, "petal_width"] = np.nan
    rows = held_out(iris, TRUTH, ["setosa", "virginica", "virginica", "setosa"])
    found = compare(store, "iris", VERSION, rows, iris_signature(), "")
    assert (found.own, found.live, found.rows) == (1.0, 1.0, 3)
    assert found.notes == ("1 row that the live version refuses count for neither", OTHER_FILE)
    nothing = iris.assign(sepal_width=np.nan)
    found = compare(store, "iris", VERSION, held_out(nothing, TRUTH, TRUTH), iris_signature(), "")
    assert found.problem == "it refuses every one of the rows"


def test_a_class_that_the_live_version_does_not_know_counts_against_it(store: MemoryStore, iris: pd.DataFrame) -> None:
    signature = Signature(
        "classification", iris_signature().features, "species", ["montana", "setosa", "versicolor", "virginica"]
    )
    truth = ["montana", *TRUTH[1:]]
    found = compare(store, "iris", VERSION, held_out(iris, truth, truth), signature, "")
    assert (found.own, found.live) == (1.0, 0.75)
    words = "the live version does not know the class montana, so each such row counts against it"
    assert found.notes == (words, OTHER_FILE)


def test_texts_booleans_and_gaps_are_asked_as_the_live_version_takes_them() -> None:
    store = MemoryStore()
    manifest = publish_mixed(store)
    golden = manifest.golden
    features = pd.DataFrame(
        {
            "age": [float("nan") if one.row[0] is None else one.row[0] for one in golden],
            "city": pd.Series([one.row[1] for one in golden], dtype="str"),
            "member": [float("nan") if one.row[2] is None else float(bool(one.row[2])) for one in golden],
        }
    )
    truth = [one.prediction for one in golden]
    found = compare(store, "mixed", VERSION, held_out(features, truth, truth), manifest.signature, "")
    assert (found.problem, found.own, found.live, found.rows) == ("", 1.0, 1.0, 3)


def test_numbers_are_compared_by_the_share_of_their_spread_that_is_explained() -> None:
    store = MemoryStore()
    manifest = publish_regression(store)
    features = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 0.0, 1.0, 2.0]})
    rows = held_out(features, [0.5, 1.5, 3.5, 6.0], [2.875] * 4)
    found = compare(store, "price", VERSION, rows, manifest.signature, "")
    assert found.own == pytest.approx(0.0)
    assert 0.9 < found.live <= 1.0


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        (Signature("regression", iris_signature().features, "species", []),
         "it predicts species (classification), this one species (regression)"),
        (Signature("classification", iris_signature().features, "kind", iris_signature().classes),
         "it predicts species (classification), this one kind (classification)"),
        (Signature("classification", iris_signature().features, "species", [0, 1, 2]),
         "its classes are 'setosa', 'versicolor', 'virginica', and so of another type than this one's"),
        (Signature("classification", iris_signature().features[:3], "species", iris_signature().classes),
         "it takes petal_width, which this one does not"),
        (Signature("classification", [*iris_signature().features[:3], Feature("petal_width", "string", False, ["a"])],
                   "species", iris_signature().classes),
         "it takes petal_width as another type than this one"),
    ],
)  # fmt: skip
def test_what_keeps_them_from_being_compared_is_said(
    store: MemoryStore, iris: pd.DataFrame, signature: Signature, problem: str
) -> None:
    found = compare(store, "iris", VERSION, held_out(iris, TRUTH, TRUTH), signature, "")
    assert (found.version, found.problem) == (VERSION, problem)


def test_a_live_version_that_cannot_be_loaded_is_a_problem_and_no_crash(store: MemoryStore, iris: pd.DataFrame) -> None:
    store.put(f"models/iris/versions/{VERSION}/model.joblib", b"broken")
    rows = held_out(iris, TRUTH, TRUTH)
    assert "model.joblib has 6 bytes" in compare(store, "iris", VERSION, rows, iris_signature(), "").problem
    gone = "20200101T000000Z-00000000"
    assert f"iris has no version {gone}" in compare(store, "iris", gone, rows, iris_signature(), "").problem
