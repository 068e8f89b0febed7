"""Which classes are taken for which, counted in held-out rows."""

from collections import Counter

import msgspec

from functions.signature import Label
from training.evidence import Evidence


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many rows of class `truth` were predicted as `predicted`; a pair that never came is left out."""

    truth: Label
    predicted: Label
    rows: int


class ClassScore(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class against the rest. precision, recall and f1: null where there is nothing to divide by."""

    label: Label = msgspec.field(name="class")
    rows: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None


class Confusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    classes: list[ClassScore]
    cells: list[Cell]


def measure(evidence: Evidence) -> Confusion | None:
    """Counts rows, whatever they weigh. None in a regression, or where no row was held out."""
    held_out = evidence.held_out
    if evidence.signature.task != "classification" or held_out is None or not len(held_out.truth):
        return None
    pairs: Counter[tuple[Label, Label]] = Counter(
        zip(held_out.truth.tolist(), held_out.predicted.tolist(), strict=True)
    )
    truths: Counter[Label] = Counter(held_out.truth.tolist())
    answers: Counter[Label] = Counter(held_out.predicted.tolist())
    labels = list(evidence.signature.classes)
    labels += sorted((truths.keys() | answers.keys()) - set(labels), key=str)  # seen in held-out rows alone
    cells = [Cell(a, b, pairs[a, b]) for a in labels for b in labels if pairs[a, b]]
    return Confusion([_class(label, truths[label], answers[label], pairs[label, label]) for label in labels], cells)


def _class(label: Label, rows: int, predicted: int, hits: int) -> ClassScore:
    return ClassScore(
        label=label,
        rows=rows,
        predicted=predicted,
        precision=hits / predicted if predicted else None,
        recall=hits / rows if rows else None,
        f1=2 * hits / (rows + predicted) if rows + predicted else None,
    )
