"""What the model card says that was done with each column, of pipelines that name their columns in many ways."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder, StandardScaler

from training.card.sections.treatment import treatments

FRAME = pd.DataFrame({"a": [1.0, 2.0, 3.0, 4.0], "b": [4.0, 3.0, 2.0, 1.0], "c": list("xyxy")})
TRUTH = [0, 1, 0, 1]


@pytest.mark.parametrize(
    "numbers",
    [
        ["a", "b"],
        [0, 1],
        slice(0, 2),
        slice("a", "b"),
        [True, True, False],
        np.array([True, True, False]),
        make_column_selector(dtype_include=np.number),
    ],
)
def test_columns_are_told_by_name_however_the_pipeline_chose_them(numbers: Any) -> None:
    parts = ColumnTransformer(
        [("numbers", make_pipeline(SimpleImputer(), StandardScaler()), numbers), ("texts", OneHotEncoder(), ["c"])]
    )
    fitted = make_pipeline(parts, LogisticRegression()).fit(FRAME, TRUTH)
    assert treatments(fitted, ["a", "b", "c"]) == {
        "a": "SimpleImputer \u2192 StandardScaler",
        "b": "SimpleImputer \u2192 StandardScaler",
        "c": "OneHotEncoder",
    }


def test_what_passes_and_what_the_pipeline_drops_is_told_and_what_comes_after_goes_for_all() -> None:
    parts = ColumnTransformer([("first", "passthrough", ["a"]), ("second", "drop", "c")], remainder=StandardScaler())
    fitted = Pipeline([("parts", parts), ("scale", MinMaxScaler()), ("last", LogisticRegression())]).fit(FRAME, TRUTH)
    assert treatments(fitted, ["a", "b", "c"]) == {
        "a": "as it is \u2192 MinMaxScaler",
        "b": "StandardScaler \u2192 MinMaxScaler",
        "c": "dropped by the pipeline",
    }


def test_an_estimator_alone_does_nothing_with_columns_first() -> None:
    assert treatments(LogisticRegression().fit(FRAME[["a"]], TRUTH), ["a"]) == {}
    assert treatments(make_pipeline(LogisticRegression()).fit(FRAME[["a"]], TRUTH), ["a"]) == {}
