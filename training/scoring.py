"""The score that a search maximises, as scikit-learn calls a scorer. It travels to other processes and machines, so it
needs nothing of this project.
"""

from collections.abc import Callable
from typing import Any

from sklearn.metrics import accuracy_score, r2_score


class Score:
    """Accuracy of classes, R² of numbers; rows weighed where there are weights (a pandas Series by the rows' index).

    tick is called for each fit that was scored; it stays in this process.
    """

    def __init__(self, name: str, weights: Any = None, tick: Callable[[], None] | None = None) -> None:
        self._score = {"accuracy": accuracy_score, "r2": r2_score}[name]
        self._weights = weights
        self._tick = tick

    def __call__(self, pipeline: Any, features: Any, truth: Any) -> float:
        if self._tick is not None:
            self._tick()
        weights = None if self._weights is None else self._weights.loc[features.index].to_numpy()
        return float(self._score(truth, pipeline.predict(features), sample_weight=weights))
