"""The reference pipeline and the grid it is searched over. It sees no data but its shape.

Scaling, PCA and logistic regression, as https://scikit-learn.org/stable/auto_examples/compose/plot_digits_pipe.html
chains them; scaled first, since PCA's axes follow the columns' units otherwise.
"""

from typing import Any

from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

REGULARISATION = [0.01, 0.1, 1.0, 10.0, 100.0]
MOST_WIDTHS = 6
MOST_ITERATIONS = 10_000  # enough for lbfgs to converge on scaled columns; it stops long before


def reference_pipeline(*, missing: bool, seed: int) -> Pipeline:
    """Unfitted. `missing`: some feature has missing values, so medians stand in for them."""
    steps: list[tuple[str, Any]] = [
        ("scale", StandardScaler()),
        ("reduce", PCA(random_state=seed)),
        ("classify", LogisticRegression(max_iter=MOST_ITERATIONS, random_state=seed)),
    ]
    if missing:  # a column that is empty in one fold stays a column there
        steps.insert(0, ("impute", SimpleImputer(strategy="median", keep_empty_features=True)))
    return Pipeline(steps)


def grid(features: int, rows: int) -> dict[str, list[Any]]:
    """What is tried for so many columns, and rows in the smallest fold; the simplest first, so that it wins ties."""
    return {"classify__C": REGULARISATION, "reduce__n_components": _widths(min(features, rows))}


def _widths(most: int) -> list[int]:
    """At most MOST_WIDTHS numbers of components from 1 to `most`, each about as many times the last."""
    if most <= MOST_WIDTHS:
        return list(range(1, most + 1))
    return sorted({round(most ** (step / (MOST_WIDTHS - 1))) for step in range(MOST_WIDTHS)})
