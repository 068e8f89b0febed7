"""The rows on their PCA plane: classes by colour and shape, a number by five steps of a colour."""

from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from functions.signature import Label
from training.card.plots.canvas import LISTED, MARKERS, MUTED, SERIES, STEPS, SURFACE, WIDE, draw, label, legend
from training.card.sections.plane import Plane, Points
from training.card.wording import number

MOST = len(SERIES)


def plot(plane: Plane | None, points: Points | None, classes: list[Label]) -> Markup | None:
    """classes: the signature's; empty in a regression."""
    if plane is None or points is None:
        return None
    groups = _of_classes(points, classes) if classes else _of_numbers(points)

    def paint(axes: Axes) -> None:
        for _, rows, colour, marker in groups:
            axes.scatter(
                points.across[rows], points.up[rows], s=22, color=colour, marker=marker, alpha=0.8,
                edgecolors=SURFACE, linewidths=0.5, label=LISTED,
            )  # fmt: skip
        first, second = (f"{share * 100:.1f}" for share in plane.explained)
        axes.set(xlabel=f"first component ({first} % of the variance)", ylabel=f"second ({second} %)")
        legend(axes, [name for name, _, _, _ in groups], handle=1)

    return draw("plane", f"{plane.rows} fitted rows on the plane of {plane.of}.", paint, width=WIDE, height=4.2)


def _of_classes(points: Points, classes: list[Label]) -> list[tuple[str, Any, str, str]]:
    truth = points.truth.tolist()
    rows = {one: np.array([index for index, found in enumerate(truth) if found == one], dtype=int) for one in classes}
    largest = sorted(classes, key=lambda one: -len(rows[one]))[:MOST]
    shown = [one for one in classes if one in largest and len(rows[one])]
    groups = [(label(one), rows[one], SERIES[place], MARKERS[place]) for place, one in enumerate(shown)]
    others = np.array([index for index, found in enumerate(truth) if found not in shown], dtype=int)
    more = len([one for one in classes if one not in shown])
    return [*([(f"{more} more classes", others, MUTED, ".")] if len(others) else []), *groups]


def _of_numbers(points: Points) -> list[tuple[str, Any, str, str]]:
    """Fifths of the target, low to high."""
    truth = np.asarray(points.truth, dtype=np.float64)
    edges = np.quantile(truth, [0.2, 0.4, 0.6, 0.8])
    fifth = np.searchsorted(edges, truth, side="left")
    found = []
    for place, colour in enumerate(STEPS):
        rows = np.flatnonzero(fifth == place)
        if len(rows):
            words = f"≤ {number(edges[place])}" if place < len(edges) else f"> {number(edges[-1])}"
            found.append((words, rows, colour, "o"))
    return found
