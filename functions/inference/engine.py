"""The engine's contract: rows or typed columns in, class indices and probabilities out. One engine per file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec

from functions.signature import Cell

if TYPE_CHECKING:
    import numpy as np

    Column: TypeAlias = "np.ndarray[tuple[int], np.dtype[Any]]"
    """One feature over n rows. float64: dtype float64, NaN for missing. bool: float64 of 0.0, 1.0, NaN where it is
    nullable, else dtype bool. string: dtype object, None for missing."""


class Predictions(msgspec.Struct, frozen=True):
    """What an engine says of n rows, as plain lists (from rows) or arrays (from columns).

    classes: n indices into the signature's classes; None in regression.
    probabilities: n by len(classes), each row summing to 1; None where the pipeline has none.
    values: n floats, in the target's unit; None in classification.
    """

    classes: Sequence[int] | None
    probabilities: Sequence[Sequence[float]] | None
    values: Sequence[float] | None


class Engine(Protocol):
    name: str

    def predict_rows(self, rows: Sequence[Sequence[Cell]]) -> Predictions:
        """Predicts n rows of the signature's features in its order; n may be 0. Answers with plain lists.

        Raises ValueError where the pipeline refuses a row, though each value is of its type: a category that it has
        not seen, a number too large for it.
        """

    def predict_columns(self, columns: "Sequence[Column]") -> Predictions:
        """Predicts n rows given as one array per feature, in the signature's order. Answers with arrays.

        Raises ValueError as `predict_rows` does.
        """
