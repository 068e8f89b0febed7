"""A model ready to serve: signature, schema and engine under one name. It does not know where it came from."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from functions.errors import NotFinite
from functions.inference.engine import Engine, Predictions
from functions.inference.schema import MOST_PROBLEMS, Schema, invalid_rows
from functions.signature import Cell, Signature

REFUSED = {
    "column": None,
    "found": "a category or a number that the model refuses",
    "expected": "categories that training saw, and numbers of their size",
}
OVERFLOWED = {
    "column": None,
    "found": "a prediction that is not finite",
    "expected": "numbers of the size that training saw",
}


class ServedModel(msgspec.Struct, frozen=True):
    """`public` is what GET /model shows; JSON-ready."""

    name: str
    version: str
    signature: Signature
    schema: Schema
    engine: Engine
    public: dict[str, Any]

    def predict(self, instances: Sequence[Any]) -> Predictions:
        """Checks n instances and predicts them. Raises InvalidRows, or NotFinite where an answer is not."""
        rows: list[list[Cell]] = self.schema.check(instances)
        try:
            found = self.engine.predict_rows(rows)
        except ValueError:
            refused = self._refused(rows)
            if not refused:  # the rows are fine, each by itself: it is the pipeline that is not
                raise
            raise invalid_rows(len(refused), len(rows), [{"row": row, **REFUSED} for row in refused]) from None
        numbers = found.values if found.values is not None else _flat(found.probabilities)
        if not all(map(math.isfinite, numbers)):
            raise _not_finite(found)
        return found

    def _refused(self, rows: list[list[Cell]]) -> list[int]:
        """The first rows, by number, that the pipeline refuses though their values are of their types.

        No more than can be told: then it takes about twice as long as predicting them all would.
        """
        found: list[int] = []
        parts = [(0, len(rows))]
        while parts and len(found) < MOST_PROBLEMS:
            start, stop = parts.pop()
            try:
                self.engine.predict_rows(rows[start:stop])
            except ValueError:
                if stop - start == 1:
                    found.append(start)
                    continue
                middle = (start + stop) // 2
                parts += [(middle, stop), (start, middle)]
        return found


class Serving(Protocol):
    """Whoever holds the model that is served now."""

    def get(self) -> ServedModel:
        """Raises ModelError while there is none."""

    def status(self) -> dict[str, Any]:
        """What GET /model says beside the model's own `public`; JSON-ready."""


def _not_finite(found: Predictions) -> NotFinite:
    answers = [[value] for value in found.values] if found.values is not None else found.probabilities or []
    bad = [row for row, numbers in enumerate(answers) if not all(map(math.isfinite, numbers))]
    noun = "row" if len(answers) == 1 else "rows"
    problems = [{"row": row, **OVERFLOWED} for row in bad[:MOST_PROBLEMS]]
    return NotFinite(
        f"the model answers {len(bad)} of {len(answers)} {noun} with a number that is not finite", problems
    )


def _flat(probabilities: Sequence[Sequence[float]] | None) -> Sequence[float]:
    return [number for row in probabilities or () for number in row]
