"""A figure that is no finite number is none: JSON has no word for it."""

import math

import numpy as np

from training.evidence import Array


def known(value: float | None) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None


def mean_and_std(numbers: Array) -> tuple[float | None, float | None]:
    """None each where float64 cannot hold what it takes, as of numbers near its end."""
    with np.errstate(over="ignore", invalid="ignore"):
        return known(numbers.mean()), known(numbers.std())
