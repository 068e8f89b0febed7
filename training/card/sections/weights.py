"""Weights that can weigh: where all are nought, rows count alike."""

import numpy as np

from training.evidence import Array, HeldOut


def usable(held_out: HeldOut) -> Array | None:
    """m weights as float64, or None."""
    if held_out.weights is None:
        return None
    weights = np.asarray(held_out.weights, dtype=np.float64)
    return weights if weights.sum() > 0 else None
