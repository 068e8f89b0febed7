"""How well scores rank rows of two classes, for many weightings of the rows at once."""

from typing import Any

import numpy as np


class Ranking:
    """truth: m booleans. scores: m numbers, higher for true. Rows of the same score count as one step."""

    def __init__(self, truth: Any, scores: Any) -> None:
        self._order = np.argsort(-scores, kind="stable")
        ordered = scores[self._order]
        self._truth = truth[self._order]
        self._ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)

    def roc_auc(self, weights: Any) -> Any:
        """b areas under the ROC curve for b by m weights; NaN where a class has no weight."""
        true, false = self._steps(weights)
        width = np.diff(false, axis=1, prepend=0.0)
        height = (true + np.pad(true, ((0, 0), (1, 0)))[:, :-1]) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return (width * height).sum(axis=1) / (true[:, -1] * false[:, -1])

    def average_precision(self, weights: Any) -> Any:
        """b average precisions, as scikit-learn sums them: without interpolation."""
        true, false = self._steps(weights)
        gained = np.diff(true, axis=1, prepend=0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.nan_to_num(true / (true + false))
            return (gained * precision).sum(axis=1) / true[:, -1]

    def _steps(self, weights: Any) -> tuple[Any, Any]:
        """The weight of true and of false rows at least as high as each step: b by steps."""
        ordered = weights[:, self._order]
        true = np.cumsum(ordered * self._truth, axis=1)[:, self._ends]
        return true, np.cumsum(ordered, axis=1)[:, self._ends] - true
