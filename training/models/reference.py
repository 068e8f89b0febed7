"""The reference pipelines, linear ones, and the grids they are searched over. They see no data but its shape.

Scaling, PCA and logistic regression, as https://scikit-learn.org/stable/auto_examples/compose/plot_digits_pipe.html
chains them; scaled first, since PCA's axes follow the columns' units otherwise. Ridge regression where numbers are
predicted; no PCA where there are categories, whose columns are axes already.
"""

from typing import Any

from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from functions.signature import Signature
from training.models.plan import Plan
from training.models.preparation import for_linear, numbers_only, told

REGULARISATION = [0.01, 0.1, 1.0, 10.0, 100.0]
PENALTY = [100.0, 10.0, 1.0, 0.1, 0.01]
MOST_WIDTHS = 6
MOST_ITERATIONS = 10_000  # enough for lbfgs to converge on scaled columns; it stops long before


def linear(signature: Signature, rows: int, seed: int) -> Plan:
    """For so many rows in the smallest fold."""
    if signature.task == "classification":
        last, values = "classify__C", REGULARISATION
        estimator: Any = LogisticRegression(max_iter=MOST_ITERATIONS, random_state=seed)
    else:
        last, values = "regress__alpha", PENALTY
        estimator = Ridge(random_state=seed)
    step = (last.partition("__")[0], estimator)
    if not numbers_only(signature):
        return Plan("linear", Pipeline([("prepare", for_linear(signature)), step]), {last: values}, told(signature))
    steps: list[tuple[str, Any]] = [("scale", StandardScaler()), ("reduce", PCA(random_state=seed)), step]
    if any(feature.nullable for feature in signature.features):  # a column that is empty in one fold stays a column
        steps.insert(0, ("impute", SimpleImputer(strategy="median", keep_empty_features=True)))
    return Plan("linear", Pipeline(steps), grid(last, values, len(signature.features), rows), told(signature))


def grid(last: str, values: list[float], features: int, rows: int) -> dict[str, list[Any]]:
    """What is tried for so many columns, and rows in the smallest fold; the simplest first, so that it wins ties."""
    return {last: values, "reduce__n_components": _widths(min(features, rows))}


def _widths(most: int) -> list[int]:
    """At most MOST_WIDTHS numbers of components from 1 to `most`, each about as many times the last."""
    if most <= MOST_WIDTHS:
        return list(range(1, most + 1))
    return sorted({round(most ** (step / (MOST_WIDTHS - 1))) for step in range(MOST_WIDTHS)})
