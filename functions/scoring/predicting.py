"""Predicts one block of columns, and tells the rows in it that the model itself cannot answer. It knows no CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from functions.inference.engine import Engine
from functions.scoring import reasons
from functions.scoring.refusing import GoOn, Taken, sort_out
from functions.signature import Feature

if TYPE_CHECKING:
    from functions.inference.engine import Column

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

LONGEST_MESSAGE = 200
NOT_FINITE = (reasons.PREDICTION_NOT_FINITE, "the model answers this row with a number that is not finite")


@dataclass(slots=True)
class Answers:
    """What the engine says of the m rows in `kept`, in their order; each None where there is none.

    classes: m int64. probabilities: m by classes, float64. values: m float64.
    failed: for each other row, by its index in the block, reason code and message.
    """

    kept: Array
    classes: Array | None
    probabilities: Array | None
    values: Array | None
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)


def predict_block(
    engine: Engine, columns: "Sequence[Column]", features: Sequence[Feature], rows: int, go_on: GoOn
) -> Answers:
    """Predicts `rows` rows, at least one. A row for which the pipeline raises ValueError fails alone.

    go_on: asked before each prediction beyond the first; whatever it raises is raised.
    """
    try:
        whole = engine.predict_columns(columns)
    except ValueError:
        found = sort_out(engine, columns, features, rows, go_on)
    else:
        answers = Answers(np.arange(rows), _array(whole.classes), _array(whole.probabilities), _array(whole.values))
        return _without_the_not_finite(answers)
    kept = np.concatenate([*(taken.rows for taken in found.taken), np.empty(0, dtype=np.int64)])
    order = np.argsort(kept)
    answers = Answers(
        kept[order],
        _joined(found.taken, "classes", order),
        _joined(found.taken, "probabilities", order),
        _joined(found.taken, "values", order),
        {row: (reasons.NOT_PREDICTABLE, refusal(message)) for row, message in found.refused.items()},
    )
    return _without_the_not_finite(answers)


def refusal(message: str) -> str:
    """What a row is told that the model refuses with this message."""
    return f"the model refuses this row: {' '.join(message.split())[:LONGEST_MESSAGE]}"


def _array(numbers: Any) -> Array | None:
    return None if numbers is None else np.asarray(numbers)


def _joined(taken: Sequence[Taken], name: str, order: Array) -> Array | None:
    """One kind of answer, for all rows taken, in the order of the block."""
    parts: list[Array] = []
    for one in taken:
        arrays = [np.asarray(array) for part in one.predictions if (array := getattr(part, name)) is not None]
        if arrays:
            parts.append(np.concatenate(arrays)[one.choice])
    return np.concatenate(parts)[order] if parts else None


def _without_the_not_finite(answers: Answers) -> Answers:
    numbers = answers.values if answers.values is not None else answers.probabilities
    if numbers is None or np.isfinite(numbers.sum()):  # a sum is not finite where one of its numbers is not
        return answers
    finite = np.isfinite(numbers) if numbers.ndim == 1 else np.isfinite(numbers).all(axis=1)
    failed = answers.failed | dict.fromkeys(answers.kept[~finite].tolist(), NOT_FINITE)
    classes, probabilities, values = (
        None if one is None else one[finite] for one in (answers.classes, answers.probabilities, answers.values)
    )
    return Answers(answers.kept[finite], classes, probabilities, values, failed)
