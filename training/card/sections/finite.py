"""A figure that is no finite number is none: JSON has no word for it."""

import math


def known(value: float | None) -> float | None:
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None
