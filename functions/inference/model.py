"""A model ready to serve: signature, schema and engine under one name. It does not know where it came from."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from functions.errors import NotFinite
from functions.inference.engine import Engine, Predictions
from functions.inference.schema import Schema
from functions.signature import Cell, Signature


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
        found = self.engine.predict_rows(rows)
        numbers = found.values if found.values is not None else _flat(found.probabilities)
        if not all(map(math.isfinite, numbers)):
            raise NotFinite(f"version {self.version} answered with a number that is not finite")
        return found


class Serving(Protocol):
    """Whoever holds the model that is served now."""

    def get(self) -> ServedModel:
        """Raises ModelError while there is none."""

    def status(self) -> dict[str, Any]:
        """What GET /model says beside the model's own `public`; JSON-ready."""


def _flat(probabilities: Sequence[Sequence[float]] | None) -> Sequence[float]:
    return [number for row in probabilities or () for number in row]
