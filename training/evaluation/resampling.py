"""Bootstrap: the same rows drawn again and again, as how often each was drawn. It knows no figure.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13 (percentile intervals).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

RESAMPLES = 1000
FEWER = 200  # of more rows than that, whose figures move less
MANY = 10_000
AT_ONCE = 2_000_000  # numbers
LEVEL = 95  # per cent


def draws(rows: int, seed: int, *, groups: Any = None) -> Iterator[Any]:
    """Arrays of b by `rows`, float64: how often each row is in a resample. Whole groups are drawn where there are any,
    for rows of a group tell less than as many rows of their own.
    """
    random = np.random.default_rng(seed)
    places = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(places.max()) + 1
    left = RESAMPLES if rows <= MANY else FEWER
    while left:
        some = min(left, max(1, AT_ONCE // rows))
        yield random.multinomial(units, np.full(units, 1 / units), size=some)[:, places].astype(np.float64)
        left -= some


def interval(values: Any) -> tuple[float, float] | None:
    """The middle 95 % of a figure's resamples; None where they do not differ, or most have no such figure."""
    known = values[np.isfinite(values)]
    if len(known) < len(values) / 2:
        return None
    low, high = np.percentile(known, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return (float(low), float(high)) if high > low else None
