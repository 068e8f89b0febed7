"""The candidates' scores on each fold, the best at the top."""

from markupsafe import Markup
from matplotlib.axes import Axes

from training.card.plots.canvas import MUTED, SERIES, SURFACE, WIDE, draw
from training.card.sections.search import Search, Tried

MOST = 12


def plot(search: Search | None, ranked: list[tuple[int, Tried]]) -> Markup | None:
    """ranked: the candidates with their ranks. None where there is nothing to compare."""
    shown = [(rank, one) for rank, one in ranked if one.mean is not None][:MOST]
    if search is None or len(shown) < 2:
        return None

    def paint(axes: Axes) -> None:
        for place, (_, one) in enumerate(shown):
            scores = [score for score in one.fold_scores if score is not None]
            chosen = one is search.candidates[search.best]
            colour = SERIES[0] if chosen else MUTED
            axes.plot([min(scores), max(scores)], [place, place], color=colour, linewidth=1, alpha=0.6)
            axes.scatter(scores, [place] * len(scores), s=16, color=colour, alpha=0.55, linewidths=0)
            axes.scatter(
                [one.mean or 0.0], [place], s=46, marker="D", color=colour, edgecolors=SURFACE, linewidths=1, zorder=3
            )
        axes.set_yticks(range(len(shown)), [str(rank) for rank, _ in shown])
        axes.set_ylim(len(shown) - 0.4, -0.6)
        axes.set_xlabel(search.scoring)
        axes.set_ylabel("rank")
        axes.grid(visible=False, axis="y")

    described = f"Scores of the {len(shown)} best candidates on {search.folds} folds; figures in the table."
    return draw("search", described, paint, width=WIDE, height=0.95 + 0.21 * len(shown))
