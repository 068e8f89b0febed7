"""How well probabilities put the rows of a class before the others: ROC and precision-recall curves.

Two classes: the positive one against the other. More: each against the rest.
Areas as scikit-learn's `roc_auc_score` and `average_precision_score` define them.
"""

import msgspec
import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from functions.signature import Label
from training.card.sections import probabilities
from training.card.sections.weights import usable
from training.evidence import Array, Evidence, HeldOut

MOST_POINTS = 101
MOST_CURVES = 6
"""Classes whose curves are kept: those with the most held-out rows. Of the others the areas say enough."""


class Ranked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class against the rest; areas are null where held-out rows hold none of it, or nothing else.

    roc: points (false positive rate, true positive rate). precision_recall: points (recall, precision), recall rising.
    """

    label: Label = msgspec.field(name="class")
    rows: int
    share: float
    roc_auc: float | None = None
    average_precision: float | None = None
    roc: list[tuple[float, float]] | None = None
    precision_recall: list[tuple[float, float]] | None = None


def measure(evidence: Evidence) -> list[Ranked] | None:
    found = probabilities.judged(evidence)
    if found is None:
        return None
    held_out, chances = found
    classes = list(enumerate(evidence.signature.classes))
    chosen = [classes[probabilities.positive(evidence)]] if len(classes) == 2 else classes
    own = {index: probabilities.members(held_out, label) for index, label in chosen}
    largest = sorted(
        (index for index in own if 0 < own[index].sum() < len(own[index])), key=lambda one: -own[one].sum()
    )
    curves = set(largest[:MOST_CURVES])
    return [_ranked(held_out, label, own[index], chances[:, index], index in curves) for index, label in chosen]


def _ranked(held_out: HeldOut, label: Label, own: Array, chances: Array, curves: bool) -> Ranked:
    rows = int(own.sum())
    share = float(np.average(own, weights=usable(held_out)))
    if rows in (0, len(own)) or not 0 < share < 1:
        return Ranked(label, rows, share)
    weights = usable(held_out)
    false, true, _ = roc_curve(own, chances, sample_weight=weights)
    precision, recall, _ = precision_recall_curve(own, chances, sample_weight=weights, drop_intermediate=True)
    return Ranked(
        label=label,
        rows=rows,
        share=share,
        roc_auc=float(roc_auc_score(own, chances, sample_weight=weights)),
        average_precision=float(average_precision_score(own, chances, sample_weight=weights)),
        roc=_thinned(false, true) if curves else None,
        precision_recall=_thinned(recall[::-1], precision[::-1]) if curves else None,
    )


def _thinned(across: Array, up: Array) -> list[tuple[float, float]]:
    """At most MOST_POINTS of the points, both ends among them."""
    kept = np.unique(np.linspace(0, len(across) - 1, min(len(across), MOST_POINTS)).round().astype(int))
    return [(float(x), float(y)) for x, y in zip(across[kept], up[kept], strict=True)]
