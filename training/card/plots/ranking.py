"""ROC and precision-recall curves, one line for each class."""

from collections.abc import Sequence

from markupsafe import Markup
from matplotlib.axes import Axes

from training.card.plots.canvas import DASHES, LISTED, MUTED, SERIES, draw, label, legend
from training.card.sections.ranking import Ranked


def shown(ranking: Sequence[Ranked]) -> list[Ranked]:
    """The classes that have curves, in their own order."""
    return [one for one in ranking if one.roc is not None]


def roc(ranking: Sequence[Ranked] | None) -> Markup | None:
    classes = shown(ranking or [])
    if not classes:
        return None

    def paint(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.9, alpha=0.7)
        for index, one in enumerate(classes):
            across, up = zip(*(one.roc or []), strict=True)
            axes.plot(across, up, color=SERIES[index], linestyle=DASHES[index], label=LISTED)
        _square(axes, "false positive rate", "true positive rate", classes)

    return draw("roc", f"ROC curves of {_listed(classes)}; areas in the table.", paint, height=4.1)


def precision_recall(ranking: Sequence[Ranked] | None) -> Markup | None:
    classes = shown(ranking or [])
    if not classes:
        return None

    def paint(axes: Axes) -> None:
        for index, one in enumerate(classes):
            across, up = zip(*(one.precision_recall or []), strict=True)
            axes.plot(across, up, color=SERIES[index], linestyle=DASHES[index], label=LISTED, drawstyle="steps-pre")
        if len(classes) == 1:
            axes.axhline(classes[0].share, color=MUTED, linewidth=0.9, alpha=0.7)
        _square(axes, "recall", "precision", classes)

    return draw(
        "precision-recall", f"Precision-recall curves of {_listed(classes)}; areas in the table.", paint, height=4.1
    )


def _square(axes: Axes, across: str, up: str, classes: Sequence[Ranked]) -> None:
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03), xlabel=across, ylabel=up, aspect="equal")
    ticks = [0, 0.25, 0.5, 0.75, 1]
    words = ["0", "0.25", "0.5", "0.75", "1"]
    axes.set_xticks(ticks, words)
    axes.set_yticks(ticks, words)
    legend(axes, [label(one.label) for one in classes])


def _listed(classes: Sequence[Ranked]) -> str:
    return ", ".join(label(one.label) for one in classes)
