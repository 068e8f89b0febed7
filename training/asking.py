"""Asks an engine about a table whatever it refuses, and puts what it says side by side. It compares nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from functions.inference.engine import Predictions
from functions.signature import Cell, Signature
from training.probes import Table

MOST_REFUSED = 128
"""Rows of one table that a pipeline may refuse, one by one; what is in doubt by then is not asked, and not compared."""

ANSWERED, REFUSED, NOT_FINITE, NOT_ASKED = range(4)


@dataclass(frozen=True, slots=True)
class Answers:
    """Of n rows. state: one of the four above; other rows than the answered hold 0 in the rest."""

    state: Any
    classes: Any
    probabilities: Any
    values: Any

    @property
    def answered(self) -> Any:
        return self.state == ANSWERED

    def only(self, rows: Any) -> "Answers":
        """Those of some rows, by number or slice."""
        cut = (None if part is None else part[rows] for part in (self.classes, self.probabilities, self.values))
        return Answers(self.state[rows], *cut)


def ask(
    predict: Callable[[Table], Predictions], table: Table, *, alone: int = 0, most_refused: int = MOST_REFUSED
) -> Answers:
    """What an engine says of a table, the first `alone` rows one by one; rows that it refuses are found by halving."""
    rows = len(table[0])
    state = np.full(rows, NOT_ASKED)
    parts: list[tuple[slice, Predictions]] = []
    waiting = [(alone, rows), *((row, row + 1) for row in range(alone))]
    refused = 0
    while waiting and refused <= most_refused:
        start, stop = waiting.pop()
        if start == stop:
            continue
        try:
            parts.append((slice(start, stop), predict([cells[start:stop] for cells in table])))
        except Exception:  # whatever a pipeline raises, the row gets no answer
            middle = (start + stop) // 2
            if middle == start:
                state[start] = REFUSED
                refused += 1
            else:
                waiting += [(middle, stop), (start, middle)]
        else:
            state[start:stop] = ANSWERED
    classes, probabilities, values = (
        _joined(rows, [(own, getattr(found, name)) for own, found in parts])
        for name in ("classes", "probabilities", "values")
    )
    for numbers in (probabilities, values):
        if numbers is not None:
            odd = ~np.isfinite(numbers.reshape(rows, -1)).all(axis=1)
            state[odd & (state == ANSWERED)] = NOT_FINITE
            numbers[odd] = 0
    return Answers(state, classes, probabilities, values)


def _joined(rows: int, parts: list[tuple[slice, Any]]) -> Any:
    """One array of n rows, 0 where no part is; None where the engine gives none."""
    known = [(own, np.asarray(part)) for own, part in parts if part is not None]
    if not known:
        return None
    joined = np.zeros((rows, *known[0][1].shape[1:]), dtype=known[0][1].dtype)
    for own, part in known:
        joined[own] = part
    return joined


def as_cells(table: Table, signature: Signature) -> list[list[Cell]]:
    """The rows of a table as `predict_rows` takes them."""
    columns = [
        [
            None if cell is None or cell != cell else bool(cell) if feature.dtype == "bool" else cell
            for cell in cells.tolist()
        ]
        for cells, feature in zip(table, signature.features, strict=True)
    ]
    return [list(row) for row in zip(*columns, strict=True)]
