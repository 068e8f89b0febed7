"""Predicts one block of columns, and finds the rows in it that the model itself cannot answer. It knows no CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from functions.inference.engine import Engine, Predictions
from functions.scoring import reasons

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


def predict_block(engine: Engine, columns: "Sequence[Column]", rows: int) -> Answers:
    """Predicts `rows` rows, at least one. A row for which the pipeline raises ValueError fails alone."""
    failed: dict[int, tuple[str, str]] = {}
    kept: list[Array] = []
    parts: list[Predictions] = []
    for start, part in _halved(engine, columns, 0, rows, failed):
        numbers = part.classes if part.classes is not None else part.values
        assert numbers is not None  # noqa: S101 # one of both there always is; for the type checker
        kept.append(np.arange(start, start + len(numbers)))
        parts.append(part)
    answers = Answers(
        np.concatenate([*kept, np.empty(0, dtype=np.int64)]) if len(kept) != 1 else kept[0],
        _joined([part.classes for part in parts]),
        _joined([part.probabilities for part in parts]),
        _joined([part.values for part in parts]),
        failed,
    )
    return _without_the_not_finite(answers)


def _halved(
    engine: Engine, columns: "Sequence[Column]", start: int, stop: int, failed: dict[int, tuple[str, str]]
) -> Iterator[tuple[int, Predictions]]:
    """Predicts [start, stop), and each half by itself where that fails, down to single rows."""
    try:
        found = engine.predict_columns([column[start:stop] for column in columns])
    except ValueError as error:
        if stop - start == 1:
            words = " ".join(str(error).split())[:LONGEST_MESSAGE]
            failed[start] = (reasons.NOT_PREDICTABLE, f"the model refuses this row: {words}")
            return
        middle = (start + stop) // 2
        yield from _halved(engine, columns, start, middle, failed)
        yield from _halved(engine, columns, middle, stop, failed)
    else:
        yield start, found


def _joined(parts: Sequence[Any]) -> Array | None:
    arrays = [np.asarray(part) for part in parts if part is not None]
    if not arrays:
        return None
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


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
