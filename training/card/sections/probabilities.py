"""The probabilities of held-out rows, where there are any to judge."""

import numpy as np

from training.evidence import Array, Evidence, HeldOut


def judged(evidence: Evidence) -> tuple[HeldOut, Array] | None:
    """The held-out rows and their m by classes probabilities; None where there are none, or some are not numbers."""
    held_out = evidence.held_out
    if evidence.signature.task != "classification" or held_out is None or held_out.probabilities is None:
        return None
    found = np.asarray(held_out.probabilities, dtype=np.float64)
    if not len(found) or found.shape[1] != len(evidence.signature.classes) or not np.isfinite(found).all():
        return None
    return held_out, found


def why_not(evidence: Evidence) -> str:
    """Why `judged` is None, as a sentence."""
    if evidence.signature.task != "classification":
        return "A regression predicts numbers and no probabilities."
    if evidence.held_out is None or not len(evidence.held_out.truth):
        return "No rows were held out to judge it on."
    if evidence.held_out.probabilities is None:
        return "This model gives labels and no probabilities."
    return "Its probabilities are not all finite numbers, so nothing can be drawn from them."


def positive(evidence: Evidence) -> int:
    """Of two classes the place of the one whose probability is judged."""
    classes = evidence.signature.classes
    return classes.index(evidence.positive) if evidence.positive in classes else len(classes) - 1


def members(held_out: HeldOut, label: object) -> Array:
    """m booleans: whose true class is this one."""
    return np.asarray(held_out.truth.astype(object) == label, dtype=bool)
