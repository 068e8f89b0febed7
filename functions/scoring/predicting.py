"""Predicts one block of columns, and finds the rows in it that the model itself cannot answer. It knows no CSV."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.inference.engine import Engine, Predictions
from functions.scoring import reasons

if TYPE_CHECKING:
    from functions.inference.engine import Column

LONGEST_MESSAGE = 200


@dataclass(slots=True)
class Answers:
    """What the engine says of the rows in `kept`, as plain lists in their order; probabilities only where asked for.

    failed: for each other row, by its index in the block, reason code and message.
    """

    kept: list[int] = field(default_factory=list)
    classes: list[int] | None = None
    probabilities: list[list[float]] | None = None
    values: list[float] | None = None
    failed: dict[int, tuple[str, str]] = field(default_factory=dict)
    chances: list[Any] = field(default_factory=list)  # probabilities as they came, an array for each stretch


def predict_block(engine: Engine, columns: "Sequence[Column]", rows: int, *, probabilities: bool) -> Answers:
    """Predicts `rows` rows. A row for which the pipeline raises ValueError (an unseen category, say) fails alone."""
    answers = Answers()
    _halve(engine, columns, 0, rows, answers)
    if answers.chances and probabilities:
        answers.probabilities = np.concatenate(answers.chances).tolist()
    return answers


def _halve(engine: Engine, columns: "Sequence[Column]", start: int, stop: int, answers: Answers) -> None:
    """Predicts [start, stop), and each half by itself where that fails, down to single rows."""
    if start == stop:
        return
    try:
        found = engine.predict_columns([column[start:stop] for column in columns])
    except ValueError as error:
        if stop - start == 1:
            words = " ".join(str(error).split())[:LONGEST_MESSAGE]
            answers.failed[start] = (reasons.NOT_PREDICTABLE, f"the model refuses this row: {words}")
            return
        middle = (start + stop) // 2
        _halve(engine, columns, start, middle, answers)
        _halve(engine, columns, middle, stop, answers)
    else:
        _keep(found, start, answers)


def _keep(found: Predictions, start: int, answers: Answers) -> None:
    classes: Any = found.classes
    probabilities: Any = found.probabilities
    values: Any = found.values
    if values is not None:
        finite = np.isfinite(values)
    elif probabilities is not None:
        finite = np.isfinite(probabilities).all(axis=1)
    else:
        finite = np.ones(len(classes), dtype=np.bool_)
    if not finite.all():
        for index in np.flatnonzero(~finite).tolist():
            answers.failed[start + index] = (
                reasons.PREDICTION_NOT_FINITE,
                "the model answers this row with a number that is not finite",
            )
        classes, probabilities, values = (
            None if one is None else np.asarray(one)[finite] for one in (classes, probabilities, values)
        )
    answers.kept += (np.flatnonzero(finite) + start).tolist()
    answers.classes = _joined(answers.classes, classes)
    if probabilities is not None:
        answers.chances.append(np.asarray(probabilities))
    answers.values = _joined(answers.values, values)


def _joined(before: list[Any] | None, found: Any) -> list[Any] | None:
    return before if found is None else (before or []) + np.asarray(found).tolist()
