"""A number's spread in fitted and held-out rows, as steps over the same bins."""

from markupsafe import Markup
from matplotlib.axes import Axes

from training.card.plots.canvas import DASHES, LISTED, SERIES, WIDE, draw, label, legend
from training.card.sections.target import Target


def plot(target: Target) -> Markup | None:
    """None for a classifier, whose classes are a table."""
    histogram = target.histogram
    if histogram is None or len(histogram.edges) < 3:
        return None

    def paint(axes: Axes) -> None:
        axes.stairs(histogram.fitted, histogram.edges, fill=True, color=SERIES[0], alpha=0.25, linewidth=0)
        axes.stairs(histogram.fitted, histogram.edges, color=SERIES[0], linewidth=1.6, label=LISTED)
        labels = ["fitted rows"]
        if histogram.held_out is not None:
            labels.append("held-out rows")
            axes.stairs(
                histogram.held_out, histogram.edges, color=SERIES[1], linewidth=1.6, label=LISTED,
                linestyle=DASHES[1],
            )  # fmt: skip
        axes.set_xlabel(label(target.name))
        axes.set_ylabel("share of rows")
        axes.set_ylim(bottom=0)
        axes.grid(visible=False, axis="x")
        legend(axes, labels)

    return draw(
        "target", f"Histogram of {label(target.name)} in fitted and held-out rows.", paint, width=WIDE, height=3
    )
