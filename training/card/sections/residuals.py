"""How far a regression's numbers lie from the truth, on held-out rows: truth minus prediction."""

import msgspec
import numpy as np

from training.card.sections.finite import mean_and_std
from training.evidence import Evidence


class Residuals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In the target's own unit. Above 0: the prediction was too low."""

    rows: int
    mean: float | None
    std: float | None
    percentile_5: float
    lower_quartile: float
    median: float
    upper_quartile: float
    percentile_95: float
    largest_absolute: float


def measure(evidence: Evidence) -> Residuals | None:
    held_out = evidence.held_out
    if evidence.signature.task != "regression" or held_out is None or not len(held_out.truth):
        return None
    found = np.asarray(held_out.truth, dtype=np.float64) - np.asarray(held_out.predicted, dtype=np.float64)
    mean, std = mean_and_std(found)
    low, lower, middle, upper, high = np.quantile(found, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
    return Residuals(
        rows=len(found),
        mean=mean,
        std=std,
        percentile_5=low,
        lower_quartile=lower,
        median=middle,
        upper_quartile=upper,
        percentile_95=high,
        largest_absolute=float(np.abs(found).max()),
    )
