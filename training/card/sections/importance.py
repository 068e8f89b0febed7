"""What each feature is worth to the model: how far its score falls where that column of the held-out rows is shuffled.

Breiman 2001, as scikit-learn's `permutation_importance` has it. Columns that tell the same stand in for each other, so
each of them looks worth little.
"""

import time
import warnings
from typing import Any

import msgspec
import numpy as np
from sklearn.inspection import permutation_importance
from sklearn.metrics import get_scorer
from threadpoolctl import threadpool_limits

from training.card.sections.weights import usable
from training.evidence import Evidence, HeldOut

MOST_ROWS = 2_000
MOST_PREDICTIONS = 1_000_000
"""Rows that are predicted in all, before the rows that are drawn from get fewer."""
FEWEST_ROWS = 100
LONGEST = 60.0
"""Seconds after which a slow model's importances are given up."""


class Worth(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """mean and std of the fall over the repeats."""

    name: str
    mean: float
    std: float


class Importance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """scoring: a scorer of scikit-learn. score: on the rows as they are. features: the worthiest first."""

    scoring: str
    score: float
    rows: int
    repeats: int
    features: list[Worth]


class _TooLong(Exception):
    pass


def measure(evidence: Evidence, seconds: float = LONGEST) -> Importance | str:
    """The importances, or why there are none. The same evidence gives the same figures."""
    if evidence.held_out is None or not len(evidence.held_out.truth):
        return "No rows were held out to measure it on."
    features = len(evidence.held_out.features.columns)
    repeats = 10 if features <= 20 else 5 if features <= 100 else 3
    rows = int(np.clip(MOST_PREDICTIONS // (features * repeats), FEWEST_ROWS, MOST_ROWS))
    sample = _sample(evidence.held_out, rows, evidence.seed)
    for scoring in (evidence.scoring, _plain(evidence)):
        try:
            return _measured(evidence, sample, scoring, repeats, seconds)
        except _TooLong:
            return f"Given up after {seconds:g} seconds: this model takes too long to predict {features} columns anew."
        except Exception as error:  # an own pipeline and a scorer raise what they like
            why = f"{type(error).__name__}: {error}"
    return f"It could not be measured: {why}"


def _plain(evidence: Evidence) -> str:
    """The scorer that any model of the task can be judged by."""
    return "accuracy" if evidence.signature.task == "classification" else "neg_root_mean_squared_error"


def _sample(held_out: HeldOut, rows: int, seed: int) -> HeldOut:
    if len(held_out.truth) <= rows:
        return held_out
    kept = np.sort(np.random.default_rng(seed).choice(len(held_out.truth), rows, replace=False))
    return HeldOut(
        features=held_out.features.iloc[kept],
        truth=held_out.truth[kept],
        predicted=held_out.predicted[kept],
        probabilities=None if held_out.probabilities is None else held_out.probabilities[kept],
        weights=None if held_out.weights is None else held_out.weights[kept],
    )


def _measured(evidence: Evidence, sample: HeldOut, scoring: str, repeats: int, seconds: float) -> Importance:
    scorer = get_scorer(scoring)
    end = time.monotonic() + seconds

    def score(*given: Any, **named: Any) -> float:
        if time.monotonic() > end:
            raise _TooLong
        found = float(scorer(*given, **named))
        if not np.isfinite(found):
            raise ValueError(f"{scoring} is not defined on these rows")
        return found

    weights = usable(sample)
    given = {} if weights is None else {"sample_weight": weights}
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # of single predictions; the fit has told its own
        whole = score(evidence.pipeline, sample.features, sample.truth, **given)
        found = permutation_importance(
            evidence.pipeline,
            sample.features,
            sample.truth,
            scoring=score,
            n_repeats=repeats,
            random_state=evidence.seed,
            **given,
        )
    worth = [
        Worth(str(name), float(mean), float(std))
        for name, mean, std in zip(sample.features.columns, found.importances_mean, found.importances_std, strict=True)
    ]
    return Importance(scoring, whole, len(sample.truth), repeats, sorted(worth, key=lambda one: (-one.mean, one.name)))
