"""The models that --models compares: linear, a forest, histogram gradient boosting. They see no data but its shape."""

from typing import Any

from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.pipeline import Pipeline

from functions.signature import Signature
from training.models.plan import Plan
from training.models.preparation import for_trees, numbers_only, told
from training.models.reference import linear

TREES = 100


def shortlist(signature: Signature, rows: int, seed: int) -> list[Plan]:
    """For so many rows in the smallest fold; the simplest first."""
    classifies = signature.task == "classification"
    forest: Any = RandomForestClassifier if classifies else RandomForestRegressor
    boosting: Any = HistGradientBoostingClassifier if classifies else HistGradientBoostingRegressor
    return [
        linear(signature, rows, seed),
        _plan("forest", signature, forest(n_estimators=TREES, random_state=seed), {"min_samples_leaf": [10, 3, 1]}),
        _plan(
            "boosting",
            signature,
            boosting(early_stopping=False, random_state=seed),  # it would hold out rows by chance, whatever the split
            {"learning_rate": [0.03, 0.1], "max_leaf_nodes": [7, 31]},
        ),
    ]


def _plan(name: str, signature: Signature, estimator: Any, values: dict[str, list[Any]]) -> Plan:
    steps: list[tuple[str, Any]] = [(name, estimator)]
    if not numbers_only(signature):
        steps.insert(0, ("prepare", for_trees(signature)))
    grid = {f"{name}__{parameter}": tried for parameter, tried in values.items()}
    return Plan(name, Pipeline(steps), grid, told(signature, trees=True))
