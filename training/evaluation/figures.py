"""The figures of classes and of numbers, each for many weightings of the rows at once, as scikit-learn defines them."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

from training.evaluation.ranking import Ranking

Figure: TypeAlias = Callable[[Any], Any]
"""b figures for b by m weights; NaN where it is not defined."""

LESS_IS_MORE = {"log_loss", "rmse", "mae"}


def of_classes(truth: Any, predicted: Any, probabilities: Any, classes: int, positive: int) -> Mapping[str, Figure]:
    """truth, predicted: m places of classes. probabilities: m by `classes`, or None. positive: of two, which counts."""
    confusion = _Confusion(truth, predicted, classes)
    figures: dict[str, Figure] = {
        "accuracy": confusion.accuracy,
        "balanced_accuracy": confusion.balanced_accuracy,
    }
    if classes == 2:
        figures["precision"] = lambda weights: confusion.precision(weights)[:, positive]
        figures["recall"] = lambda weights: confusion.recall(weights)[:, positive]
        figures["f1"] = lambda weights: confusion.f1(weights)[:, positive]
    else:
        figures["f1_macro"] = lambda weights: np.nanmean(confusion.f1(weights), axis=1)
    if probabilities is None:
        return figures
    rankings = [Ranking(truth == place, probabilities[:, place]) for place in range(classes)]
    if classes == 2:
        figures["roc_auc"] = rankings[positive].roc_auc
        figures["average_precision"] = rankings[positive].average_precision
    else:
        there = [ranking for place, ranking in enumerate(rankings) if (truth == place).any()]
        figures["roc_auc_macro"] = lambda weights: np.mean([one.roc_auc(weights) for one in there], axis=0)
    losses = -np.log(np.clip(probabilities[np.arange(len(truth)), truth], np.finfo(np.float64).eps, None))
    figures["log_loss"] = lambda weights: weights @ losses / weights.sum(axis=1)
    return figures


def of_numbers(truth: Any, predicted: Any) -> Mapping[str, Figure]:
    """truth, predicted: m numbers, in the target's unit; so are rmse and mae."""
    squares, distances = (truth - predicted) ** 2, np.abs(truth - predicted)
    middle = truth - truth.mean()  # the same spread, and no digits lost

    def r2(weights: Any) -> Any:
        total = weights.sum(axis=1)
        spread = weights @ middle**2 - (weights @ middle) ** 2 / total
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1 - np.where(spread > 0, weights @ squares / spread, np.nan)

    return {
        "r2": r2,
        "rmse": lambda weights: np.sqrt(weights @ squares / weights.sum(axis=1)),
        "mae": lambda weights: weights @ distances / weights.sum(axis=1),
    }


class _Confusion:
    def __init__(self, truth: Any, predicted: Any, classes: int) -> None:
        self._pairs = truth * classes + predicted
        self._classes = classes

    def accuracy(self, weights: Any) -> Any:
        table = self._table(weights)
        return np.trace(table, axis1=1, axis2=2) / table.sum(axis=(1, 2))

    def balanced_accuracy(self, weights: Any) -> Any:
        return np.nanmean(self.recall(weights, absent=np.nan), axis=1)

    def recall(self, weights: Any, absent: float = 0.0) -> Any:
        """b by classes; of a class with no weight `absent`."""
        table = self._table(weights)
        return _share(_diagonal(table), table.sum(axis=2), absent)

    def precision(self, weights: Any) -> Any:
        table = self._table(weights)
        return _share(_diagonal(table), table.sum(axis=1), 0.0)

    def f1(self, weights: Any) -> Any:
        """b by classes; NaN of a class that is neither there nor predicted."""
        table = self._table(weights)
        return _share(2 * _diagonal(table), table.sum(axis=1) + table.sum(axis=2), np.nan)

    def _table(self, weights: Any) -> Any:
        """b by classes (true) by classes (predicted)."""
        table = np.zeros((len(weights), self._classes**2))
        for pair in np.unique(self._pairs):
            table[:, pair] = weights[:, self._pairs == pair].sum(axis=1)
        return table.reshape(-1, self._classes, self._classes)


def _diagonal(table: Any) -> Any:
    return np.diagonal(table, axis1=1, axis2=2)


def _share(part: Any, whole: Any, otherwise: float) -> Any:
    return np.divide(part, whole, out=np.full(part.shape, otherwise), where=whole > 0)
