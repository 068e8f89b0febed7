"""The worthiest features as bars, with the spread over the repeats."""

from markupsafe import Markup
from matplotlib.axes import Axes

from training.card.plots.canvas import INK, SERIES, WIDE, draw, label
from training.card.sections.importance import Importance

MOST = 20


def plot(importance: Importance | None) -> Markup | None:
    if importance is None:
        return None
    shown = importance.features[:MOST]

    def paint(axes: Axes) -> None:
        places = range(len(shown))
        axes.barh(places, [one.mean for one in shown], height=0.62, color=SERIES[0], alpha=0.75)
        axes.hlines(
            places, [one.mean - one.std for one in shown], [one.mean + one.std for one in shown], color=INK, linewidth=1
        )
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set_yticks(places, [label(one.name) for one in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set_xlabel(f"fall of {importance.scoring} where the column is shuffled")
        axes.grid(visible=False, axis="y")

    described = f"Permutation importance of the {len(shown)} worthiest features; figures in the table."
    return draw("importance", described, paint, width=WIDE, height=0.85 + 0.24 * len(shown))
