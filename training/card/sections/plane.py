"""The rows as the pipeline sees them, on the plane of their two first principal components."""

import warnings
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from training.evidence import Array, Evidence

MOST_ROWS = 800
MOST_COLUMNS = 5_000


class Plane(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """of: what was projected, in words. rows: drawn. explained: each axis' share of the variance."""

    of: str
    rows: int
    explained: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Points:
    """across, up: n coordinates. truth: n labels or numbers. They are drawn and not kept as figures."""

    across: Array
    up: Array
    truth: Array


def measure(evidence: Evidence) -> tuple[Plane, Points] | str:
    """The plane and its points, or why it does not apply. At most MOST_ROWS of the fitted rows, drawn by the seed."""
    rows = _rows(evidence)
    frame = evidence.train.iloc[rows]
    if len(frame) < 3:
        return "There are too few rows to draw."
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # of single transformations; the fit has told its own
        for steps in _views(evidence.pipeline):
            try:
                seen = _numbers(frame if not len(steps) else steps.transform(frame))
            except Exception as error:  # an own pipeline's steps raise what they like
                return f"The pipeline's steps could not be followed: {type(error).__name__}: {error}"
            if seen is not None and seen.shape[1] >= 2:
                return _projected(seen, steps, evidence.train_truth[rows])
    return "What the pipeline sees is not two columns of numbers or more, so there is no plane to draw."


def _rows(evidence: Evidence) -> Array:
    number = len(evidence.train)
    if number <= MOST_ROWS:
        return np.arange(number)
    return np.sort(np.random.default_rng(evidence.seed).choice(number, MOST_ROWS, replace=False))


def _views(pipeline: Any) -> list[Any]:
    """What leads up to each step, the last one's first; at the end the table itself."""
    whole = getattr(pipeline, "best_estimator_", pipeline)
    whole = getattr(whole, "regressor_", whole)
    steps = len(whole.steps) if isinstance(whole, Pipeline) else 1
    return [whole[:number] if number else () for number in range(steps - 1, -1, -1)]


def _numbers(seen: Any) -> Array | None:
    """n by c finite numbers; None where there are gaps, texts, or too many columns."""
    if seen.shape[1] > MOST_COLUMNS:
        return None
    if hasattr(seen, "toarray"):
        seen = seen.toarray()
    if isinstance(seen, pd.DataFrame) and not all(pd.api.types.is_numeric_dtype(kind) for kind in seen.dtypes):
        return None
    try:
        found = np.asarray(seen, dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return found if np.isfinite(found).all() else None


def _projected(seen: Array, steps: Any, truth: Array) -> tuple[Plane, Points]:
    last = steps[-1] if len(steps) else None
    if isinstance(last, PCA):
        shares = last.explained_variance_ratio_
        of = f"the pipeline's own PCA, the first 2 of its {seen.shape[1]} components"
        points = seen[:, :2]
    else:
        spread = seen.std(axis=0)
        scaled = (seen - seen.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
        plane = PCA(n_components=2, svd_solver="full").fit(scaled)
        shares = np.nan_to_num(plane.explained_variance_ratio_)
        of = _words(steps, seen.shape[1])
        points = plane.transform(scaled)
    explained = (float(shares[0]), float(shares[1]))
    return Plane(of, len(points), explained), Points(points[:, 0], points[:, 1], truth)


def _words(steps: Any, columns: int) -> str:
    seen = (
        f"the {columns} columns that come out of the step {steps.steps[-1][0]!r}"
        if len(steps)
        else (f"the {columns} feature columns as they are")
    )
    return f"a PCA made for this picture of {seen}, scaled"
