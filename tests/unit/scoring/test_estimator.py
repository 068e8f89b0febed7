"""What a fitted estimator says of itself: which of its columns hold texts, and what it was taught with."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer, make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler

from functions.scoring.estimator import signature_of
from functions.scoring.files import Mistake
from functions.signature import Feature, Signature

LABELS = ["a", "b", "a", "b"]
TABLE = pd.DataFrame(
    {
        "age": [1.0, 2.0, 3.0, 4.0],
        "city": ["Bern", "Genf", "Bern", "007"],
        "code": [10, 20, 10, 20],
        "member": [True, False, True, False],
        "words": ["an old house", "a new house", "old", "new"],
    }
)
AGE, CODE = Feature("age", "float64", True), Feature("code", "float64", True)
CITY = Feature("city", "string", True, ["007", "Bern", "Genf"])
MEMBER = Feature("member", "bool", False)
WORDS = Feature("words", "string", True)


def features(*steps: Any, columns: list[str]) -> list[Feature]:
    fitted = make_pipeline(*steps, LogisticRegression()).fit(TABLE[columns], LABELS)
    return signature_of(fitted, "m.joblib").features


def encoder() -> Any:
    return OneHotEncoder(handle_unknown="ignore")


def test_columns_are_numbers_where_nothing_says_otherwise() -> None:
    assert features(StandardScaler(), columns=["age", "code"]) == [AGE, CODE]
    forest = RandomForestClassifier(1).fit(TABLE[["code"]], [3, 4, 3, 4])
    assert signature_of(forest, "m") == Signature("classification", [CODE], "", [3, 4])


def test_a_regression_has_no_classes() -> None:
    fitted = Ridge().fit(TABLE[["age"]], [1.0, 2.0, 3.0, 4.0])
    assert signature_of(fitted, "m") == Signature("regression", [AGE], "", [])


def test_an_encoder_knows_texts_numbers_and_booleans_apart() -> None:
    chosen = ["city", "code", "member"]
    steps = make_column_transformer((encoder(), chosen), remainder="passthrough")
    assert features(steps, columns=["age", *chosen]) == [AGE, CITY, CODE, MEMBER]
    apart = make_column_transformer((OrdinalEncoder(), ["city"]), (encoder(), ["member"]), remainder="drop")
    assert features(apart, columns=["age", *chosen]) == [AGE, CITY, CODE, MEMBER]


@pytest.mark.parametrize(
    "chosen",
    ["by name", [1], slice(1, 2), slice("city", "city"), [False, True, False], make_column_selector("city"),
     lambda table: [table.columns.get_loc("city")]],
    ids=["name", "place", "slice", "slice of names", "mask", "selector", "callable"],
)  # fmt: skip
def test_columns_are_found_however_they_were_chosen(chosen: Any) -> None:
    steps = ColumnTransformer([("texts", encoder(), ["city"] if chosen == "by name" else chosen)], remainder="drop")
    assert features(steps, columns=["age", "city", "code"]) == [AGE, CITY, CODE]


def test_a_step_that_hands_its_columns_on_lets_the_next_one_speak_of_them() -> None:
    both = make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder())
    columns = make_column_transformer((both, ["city"]), ("passthrough", ["age"]))
    assert features(columns, columns=["age", "city"]) == [AGE, CITY]
    filled = make_pipeline(SimpleImputer(strategy="most_frequent"), FunctionTransformer(lambda rows: rows == "Bern"))
    columns = make_column_transformer((filled, ["city"]))
    assert features(columns, columns=["city"]) == [Feature("city", "string", True)]


def test_a_step_that_makes_other_columns_ends_what_can_be_said() -> None:
    turned = FunctionTransformer(lambda table: np.column_stack([table["age"], table["age"]]).astype(str))
    assert features(turned, encoder(), columns=["age", "code"]) == [AGE, CODE]


def test_a_union_and_a_vectorizer_speak_too() -> None:
    columns = make_column_transformer(
        (TfidfVectorizer(), "words"), (make_union(encoder(), OrdinalEncoder()), ["city"])
    )  # fmt: skip
    assert features(columns, columns=["words", "city"]) == [WORDS, CITY]


def test_missing_values_among_the_categories_are_none() -> None:
    table = pd.DataFrame({"city": ["Bern", None, "Bern", np.nan], "member": [True, None, False, True]}, dtype=object)
    fitted = make_pipeline(encoder(), LogisticRegression()).fit(table, LABELS)
    assert signature_of(fitted, "m").features == [Feature("city", "string", True, ["Bern"]), MEMBER]


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (
            {"city": ["Bern", 3, "Bern", 3]},
            "m.joblib was fitted with values of several types in the column 'city', which a CSV cannot tell apart; fit "
            "it with texts alone there, or numbers alone",
        ),
        (
            {"country": ["CH", "NA", "CH", "NA"]},
            "m.joblib knows the text 'NA' in the column 'country', which stands for a missing value in a CSV here; fit "
            "it with another text there",
        ),
        (
            {" age": [1.0, 2.0, 3.0, 4.0]},
            "m.joblib was fitted with the column ' age', which a CSV's header cannot name: names stand once, without "
            "spaces around them; fit it on a DataFrame with other names",
        ),
    ],
)
def test_what_a_csv_could_not_say_is_refused(table: dict[str, list[Any]], told: str) -> None:
    fitted = FromObjects().fit(pd.DataFrame(table, dtype=object), LABELS)
    with pytest.raises(Mistake) as raised:
        signature_of(fitted, "m.joblib")
    assert str(raised.value) == told


class FromObjects(LogisticRegression):  # type: ignore[misc] # scikit-learn ships no types
    """A classifier that keeps the values of its columns as an encoder does, of whatever types they are."""

    def fit(self, table: pd.DataFrame, labels: list[str]) -> "FromObjects":
        super().fit(np.arange(len(table)).reshape(-1, 1), labels)
        self.feature_names_in_ = table.columns.to_numpy()
        self.categories_ = [table[name].to_numpy() for name in table.columns]
        return self


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([0.5, 1.5, 0.5, 1.5], "m has the classes [0.5, 1.5]; they must be texts, whole numbers or booleans"),
        ([[1, 2], [3, 4], [1, 2], [3, 4]], "m holds a RandomForestClassifier that is not fitted, or has many targets; "
         "a fitted scikit-learn classifier or regressor with one target is needed"),
    ],
)  # fmt: skip
def test_classes_are_of_one_target_and_texts_whole_numbers_or_booleans(labels: list[Any], told: str) -> None:
    fitted = RandomForestClassifier(1).fit(TABLE[["age"]], LABELS if labels[0] == 0.5 else labels)
    if labels[0] == 0.5:  # which scikit-learn itself takes for a regression
        fitted.classes_ = np.unique(labels)
    with pytest.raises(Mistake) as raised:
        signature_of(fitted, "m")
    assert str(raised.value) == told
