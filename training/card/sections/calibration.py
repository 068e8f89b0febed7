"""Whether a probability of 0.8 comes true in 8 of 10 rows.

Two classes: the probability of the positive one. More: that of the class which was predicted, whichever it is.
Bins hold equally many rows. Intervals: Wilson, https://doi.org/10.1080/01621459.1927.10502953. Expected calibration
error: Guo et al. 2017, https://arxiv.org/abs/1706.04599, on these bins. Brier score: over all classes, from 0 to 2
(halved for two).
"""

import math

import msgspec
import numpy as np

from functions.signature import Label
from training.card.sections import probabilities
from training.card.sections.weights import usable
from training.evidence import Array, Evidence

MOST_BINS = 10
FEWEST_ROWS = 10
"""Of a bin, where there are that many rows at all."""
NORMAL = 1.959964  # standard deviations within which 95 % of a normal distribution lie


class Bin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """rows: in it. predicted: their mean probability. observed: the share that came true, with its 95 % interval."""

    rows: int
    predicted: float
    observed: float
    low: float
    high: float


class Calibration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """of: the class whose probability it is, null for the predicted one's. histogram: rows in each tenth, 0 to 1."""

    of: Label | None
    brier: float
    expected_calibration_error: float
    bins: list[Bin]
    histogram: list[int]


def measure(evidence: Evidence) -> Calibration | None:
    found = probabilities.judged(evidence)
    if found is None:
        return None
    held_out, chances = found
    classes = evidence.signature.classes
    truths = np.column_stack([probabilities.members(held_out, label) for label in classes]).astype(np.float64)
    given = usable(held_out)
    weights = np.ones(len(truths)) if given is None else given
    brier = float(np.average(((chances - truths) ** 2).sum(axis=1), weights=weights))
    two = len(classes) == 2
    own = probabilities.positive(evidence)
    if two:
        certainty, came_true = chances[:, own], truths[:, own]
    else:
        certainty, came_true = chances.max(axis=1), truths[np.arange(len(truths)), chances.argmax(axis=1)]
    bins = _bins(certainty, came_true, weights)
    rows = sum(one.rows for one in bins)
    return Calibration(
        of=classes[own] if two else None,
        brier=brier / 2 if two else brier,
        expected_calibration_error=sum(one.rows * abs(one.predicted - one.observed) for one in bins) / rows,
        bins=bins,
        histogram=np.histogram(certainty, bins=10, range=(0, 1))[0].tolist(),
    )


def _bins(certainty: Array, came_true: Array, weights: Array) -> list[Bin]:
    order = np.argsort(certainty, kind="stable")
    number = int(np.clip(len(order) // FEWEST_ROWS, 1, MOST_BINS))
    return [
        _bin(certainty[rows], came_true[rows], weights[rows]) for rows in np.array_split(order, number) if len(rows)
    ]


def _bin(certainty: Array, came_true: Array, weights: Array) -> Bin:
    given = weights if weights.sum() > 0 else None
    observed = float(np.average(came_true, weights=given))
    low, high = _wilson(observed, len(came_true))
    return Bin(len(came_true), float(np.average(certainty, weights=given)), observed, low, high)


def _wilson(share: float, rows: int) -> tuple[float, float]:
    square = NORMAL**2
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = NORMAL / (1 + square / rows) * math.sqrt(share * (1 - share) / rows + square / (4 * rows**2))
    return max(0.0, middle - half), min(1.0, middle + half)
