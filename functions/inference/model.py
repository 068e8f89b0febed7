"""A model ready to serve: signature, schema and engine under one name. It does not know where it came from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.errors import InvalidRows, NotFinite
from functions.inference.engine import Engine, Predictions
from functions.inference.schema import MOST_PROBLEMS, Schema
from functions.signature import Cell, Signature

REFUSED = {
    "column": None,
    "found": "a category or a number that the model refuses",
    "expected": "categories that training saw, and numbers of their size",
}


@dataclass(frozen=True, slots=True)
class ServedModel:
    """`public` is what GET /model shows; JSON-ready."""

    name: str
    version: str
    signature: Signature
    schema: Schema
    engine: Engine
    public: dict[str, Any]

    def predict(self, instances: Sequence[Any]) -> Predictions:
        """Checks n instances and predicts them. Raises InvalidRows, or NotFinite for a number that is not finite."""
        rows: list[list[Cell]] = self.schema.check(instances)
        try:
            found = self.engine.predict_rows(rows)
        except ValueError:
            refused = self._refused(rows, 0)
            if not refused:
                raise
            noun = "row" if len(rows) == 1 else "rows"
            problems = [{"row": row, **REFUSED} for row in refused[:MOST_PROBLEMS]]
            raise InvalidRows(f"{len(refused)} of {len(rows)} {noun} cannot be scored", problems) from None
        numbers = found.values if found.values is not None else _flat(found.probabilities)
        if not all(map(math.isfinite, numbers)):
            raise NotFinite(f"version {self.version} answered with a number that is not finite")
        return found

    def _refused(self, rows: list[list[Cell]], first: int) -> list[int]:
        """The rows, by number, that the pipeline refuses though their values are of their types."""
        try:
            self.engine.predict_rows(rows)
        except ValueError:
            middle = len(rows) // 2
            if not middle:
                return [first]
            return self._refused(rows[:middle], first) + self._refused(rows[middle:], first + middle)
        return []


class Serving(Protocol):
    """Whoever holds the model that is served now."""

    def get(self) -> ServedModel:
        """Raises ModelError while there is none."""

    def status(self) -> dict[str, Any]:
        """What GET /model says beside the model's own `public`; JSON-ready."""


def _flat(probabilities: Sequence[Sequence[float]] | None) -> Sequence[float]:
    return [number for row in probabilities or () for number in row]
