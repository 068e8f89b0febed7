"""Searches the grid by cross-validation and keeps the best pipeline, beside a dummy's score. It writes nothing."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from training.endings import Mistake
from training.pipeline import grid, reference_pipeline
from training.progress import Narrator
from training.target import FOLDS, Labels

SMALL = 1_000_000
"""Cells below which threads cost linear algebra more than they bring, and ten times as much on a busy machine."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One point of the grid: its parameters, and mean and standard deviation of the accuracy over the folds."""

    parameters: dict[str, Any]
    accuracy: float
    std: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best candidate, fitted on all rows. Accuracies are shares from 0 to 1, on the same folds."""

    pipeline: Pipeline
    best: Candidate
    candidates: list[Candidate]
    baseline: float
    warnings: list[str]


def fit(features: pd.DataFrame, labels: Labels, *, seed: int, narrator: Narrator) -> Fitted:
    """Fits n rows of float64 features; the same seed gives the same pipeline. Raises Mistake where nothing varies."""
    if all(features[name].nunique() < 2 for name in features.columns):
        raise Mistake("no feature varies; there is nothing to learn from")
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, labels))
    points = grid(features.shape[1], min(len(train) for train, _ in folds))
    total = FOLDS * int(np.prod([len(values) for values in points.values()]))
    pipeline = reference_pipeline(missing=bool(features.isna().any(axis=None)), seed=seed)
    threads = 1 if features.size < SMALL else None
    with threadpool_limits(threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with narrator.counting(f"fitting {total // FOLDS} candidates in {FOLDS} folds", total) as tick:
            search = GridSearchCV(pipeline, points, cv=folds, scoring=_accuracy(tick), error_score="raise")
            search.fit(features, labels)
        dummy = DummyClassifier(strategy="most_frequent")
        baseline = float(cross_val_score(dummy, features, labels, cv=folds, scoring="accuracy").mean())
    results = search.cv_results_
    candidates = [
        Candidate(parameters, float(mean), float(std))
        for parameters, mean, std in zip(
            results["params"], results["mean_test_score"], results["std_test_score"], strict=True
        )
    ]
    told = sorted({f"{warning.category.__name__}: {warning.message}" for warning in caught})
    return Fitted(search.best_estimator_, candidates[search.best_index_], candidates, baseline, told)


def _accuracy(tick: Callable[[], None]) -> Callable[[Any, Any, Any], float]:
    """Accuracy, telling each time that one more fit was scored."""

    def score(pipeline: Any, features: Any, labels: Any) -> float:
        tick()
        return float(accuracy_score(labels, pipeline.predict(features)))

    return score
