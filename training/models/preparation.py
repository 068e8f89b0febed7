"""What becomes of columns before an estimator sees them, by their kind: imputed, encoded, scaled. It sees no row."""

from typing import Any

from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from functions.signature import Signature

MOST_OWN_COLUMNS = 50
"""Categories of a feature that get a column of their own; rarer ones, and those that training never saw, share one."""


def numbers_only(signature: Signature) -> bool:
    return all(feature.dtype == "float64" for feature in signature.features)


def for_linear(signature: Signature) -> ColumnTransformer:
    """Numbers: the median where missing, then scaled. Booleans: 0 and 1, the commoner where missing. Categories: a
    column each, missing ones among them."""
    numbers: list[tuple[str, Any]] = [("scale", StandardScaler())]
    if _nullable(signature, "float64"):
        numbers.insert(0, ("impute", SimpleImputer(strategy="median", keep_empty_features=True)))
    booleans: Any = "passthrough"
    if _nullable(signature, "bool"):
        booleans = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
    return _parts(signature, Pipeline(numbers), booleans)


def for_trees(signature: Signature) -> ColumnTransformer:
    """Numbers and booleans as they are, missing ones too, which trees send where it is better; categories as above."""
    return _parts(signature, "passthrough", "passthrough")


def told(signature: Signature, *, trees: bool = False) -> tuple[str, ...]:
    """What stands in for missing values, for a reader."""
    if trees:
        return ()
    words = []
    if _nullable(signature, "float64"):
        words.append("a missing number is replaced by its column's median")
    if _nullable(signature, "bool"):
        words.append(
            "a missing boolean by the commoner one" if words else "a missing boolean is replaced by the commoner one"
        )
    if _nullable(signature, "string"):
        words.append("a missing category is a category of its own")
    return (", ".join(words),) if words else ()


def _parts(signature: Signature, numbers: Any, booleans: Any) -> ColumnTransformer:
    categories = OneHotEncoder(
        handle_unknown="infrequent_if_exist", max_categories=MOST_OWN_COLUMNS, sparse_output=False
    )
    parts = [
        (name, part, [feature.name for feature in signature.features if feature.dtype == dtype])
        for name, part, dtype in (
            ("numbers", numbers, "float64"),
            ("booleans", booleans, "bool"),
            ("categories", categories, "string"),
        )
    ]
    return ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)


def _nullable(signature: Signature, dtype: str) -> bool:
    return any(feature.nullable for feature in signature.features if feature.dtype == dtype)
