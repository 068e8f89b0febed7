"""A regression's answers beside the truth, and what is left between the two."""

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from training.card.plots.canvas import MUTED, SERIES, draw, label
from training.evidence import Array, Evidence

MOST_ROWS = 800


def truth(evidence: Evidence) -> Markup | None:
    """Predicted across, true up, and the line on which they are the same."""
    if (found := _points(evidence)) is None:
        return None
    predicted, true = found

    def paint(axes: Axes) -> None:
        low, high = float(min(predicted.min(), true.min())), float(max(predicted.max(), true.max()))
        axes.plot([low, high], [low, high], color=MUTED, linewidth=0.9, alpha=0.7)
        _scatter(axes, predicted, true)
        axes.set(xlabel=f"predicted {label(evidence.signature.target)}", ylabel="true")

    return draw("truth", f"Predicted and true values of {len(true)} held-out rows.", paint, height=3.6)


def left(evidence: Evidence) -> Markup | None:
    """Predicted across, residual up."""
    if (found := _points(evidence)) is None:
        return None
    predicted, true = found

    def paint(axes: Axes) -> None:
        axes.axhline(0, color=MUTED, linewidth=0.9, alpha=0.7)
        _scatter(axes, predicted, true - predicted)
        axes.set(xlabel=f"predicted {label(evidence.signature.target)}", ylabel="true \u2212 predicted")

    return draw("residuals", f"Residuals of {len(true)} held-out rows over what was predicted.", paint, height=3.6)


def _scatter(axes: Axes, across: Array, up: Array) -> None:
    axes.scatter(across, up, s=14, color=SERIES[0], alpha=0.55, linewidths=0)


def _points(evidence: Evidence) -> tuple[Array, Array] | None:
    """At most MOST_ROWS held-out rows, drawn by the seed: predicted and true."""
    held_out = evidence.held_out
    if evidence.signature.task != "regression" or held_out is None or not len(held_out.truth):
        return None
    number = len(held_out.truth)
    kept = np.arange(number)
    if number > MOST_ROWS:
        kept = np.sort(np.random.default_rng(evidence.seed).choice(number, MOST_ROWS, replace=False))
    return (
        np.asarray(held_out.predicted, dtype=np.float64)[kept],
        np.asarray(held_out.truth, dtype=np.float64)[kept],
    )
