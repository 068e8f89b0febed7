"""Probabilities beside how often they came true, and how many rows had which."""

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from training.card.plots.canvas import MUTED, SERIES, SURFACE, draw
from training.card.sections.calibration import Calibration


def reliability(calibration: Calibration | None) -> Markup | None:
    if calibration is None:
        return None
    bins = calibration.bins

    def paint(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, alpha=0.7)
        across = [one.predicted for one in bins]
        axes.vlines(across, [one.low for one in bins], [one.high for one in bins], color=SERIES[0], alpha=0.45)
        axes.plot(across, [one.observed for one in bins], color=SERIES[0], linewidth=1.2)
        axes.scatter(
            across, [one.observed for one in bins], s=36, color=SERIES[0], edgecolors=SURFACE, linewidths=1, zorder=3
        )
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.03), aspect="equal")
        axes.set(xlabel="mean predicted probability", ylabel="share that came true")
        ticks = [0, 0.25, 0.5, 0.75, 1]
        axes.set_xticks(ticks, ["0", "0.25", "0.5", "0.75", "1"])
        axes.set_yticks(ticks, ["0", "0.25", "0.5", "0.75", "1"])

    return draw(
        "reliability", "Predicted probability beside the share that came true; figures in the table.", paint, height=4.1
    )


def histogram(calibration: Calibration | None) -> Markup | None:
    if calibration is None:
        return None

    def paint(axes: Axes) -> None:
        edges = [step / 10 for step in range(11)]
        axes.stairs(calibration.histogram, edges, fill=True, color=SERIES[0], alpha=0.3, linewidth=0)
        axes.stairs(calibration.histogram, edges, color=SERIES[0], linewidth=1.4)
        axes.set(xlim=(-0.02, 1.02), xlabel="predicted probability", ylabel="rows")
        axes.set_ylim(bottom=0)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="x")

    rows = ", ".join(map(str, calibration.histogram))
    return draw("certainty", f"Rows in each tenth of probability, from 0 to 1: {rows}.", paint, height=4.1)
