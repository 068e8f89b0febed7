"""The engine that runs a pipeline's twin. It is handed the model's bytes; it imports no numpy for rows.

The model's inputs and outputs are named here, and written by `training.twin.export`, which says their types and shapes.
"""

from array import array
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from functions.inference.engine import Predictions
from functions.inference.onnx_runtime import OnnxRuntimeError, Session, Tensor
from functions.signature import Cell, Signature

if TYPE_CHECKING:
    from functions.inference.engine import Column

NUMBERS, TEXTS = "numbers", "texts"
CLASSES, PROBABILITIES, VALUES, REFUSED = "classes", "probabilities", "values", "refused"

MISSING_TEXT = b"\xff"
"""No text is encoded so: 0xFF is in no UTF-8."""

ROWS = "rows_at_once"
"""The model's own note of how many rows to run at once in a batch; some graphs hold thousands of numbers for each."""
ROWS_AT_ONCE = 16384

MISSING_NUMBER = float("nan")


class OnnxEngine:
    """Raises OnnxRuntimeError for bytes that are no model, and for a model of another signature."""

    name = "onnx"

    def __init__(self, model: bytes, signature: Signature) -> None:
        self._session = Session(model)
        self._numbers = [at for at, feature in enumerate(signature.features) if feature.dtype != "string"]
        self._texts = [at for at, feature in enumerate(signature.features) if feature.dtype == "string"]
        self._width = len(signature.classes)
        self._rows_at_once = int(self._session.note(ROWS) or ROWS_AT_ONCE)
        needed = {CLASSES} if signature.task == "classification" else {VALUES}
        inputs = [name for name, own in ((NUMBERS, self._numbers), (TEXTS, self._texts)) if own]
        if self._session.inputs != inputs or not needed.issubset(self._session.outputs):
            found = f"{self._session.inputs} to {self._session.outputs}"
            raise OnnxRuntimeError("INVALID_GRAPH", f"the model takes {found}, expected {inputs} to {sorted(needed)}")

    def predict_rows(self, rows: Sequence[Sequence[Cell]]) -> Predictions:
        if not rows:
            return self._nothing()
        blocks = [self._run_rows(rows, start) for start in range(0, len(rows), self._rows_at_once)]

        def joined(name: str) -> Any:
            return [one for block in blocks for one in block[name].tolist()] if name in blocks[0] else None

        chances, width = joined(PROBABILITIES), self._width
        return Predictions(
            classes=joined(CLASSES),
            probabilities=chances and [chances[at : at + width] for at in range(0, len(chances), width)],
            values=joined(VALUES),
        )

    def predict_columns(self, columns: "Sequence[Column]") -> Predictions:
        import numpy as np

        rows = len(columns[0])
        if not rows:
            return self._nothing()
        blocks: list[dict[str, Tensor]] = []
        known = _Encoded()
        for start in range(0, rows, self._rows_at_once):
            own = slice(start, min(rows, start + self._rows_at_once))
            numbers = np.empty((own.stop - own.start, len(self._numbers)))
            for place, at in enumerate(self._numbers):
                numbers[:, place] = columns[at][own]
            texts = [columns[at][own].tolist() for at in self._texts]
            encoded = list(map(known.__getitem__, chain.from_iterable(zip(*texts, strict=True))))
            blocks.append(self._run(own.stop - own.start, numbers, encoded))

        def joined(name: str, dtype: str) -> Any:
            if name not in blocks[0]:
                return None
            return np.concatenate([np.frombuffer(block[name].data, dtype=dtype) for block in blocks])

        chances = joined(PROBABILITIES, "float64")
        return Predictions(
            classes=joined(CLASSES, "int64"),
            probabilities=None if chances is None else chances.reshape(rows, self._width),
            values=joined(VALUES, "float64"),
        )

    def _run_rows(self, rows: Sequence[Sequence[Cell]], start: int) -> dict[str, Tensor]:
        block = rows[start : start + self._rows_at_once]
        numbers: Any = [row[at] for row in block for at in self._numbers]
        data = array("d", [MISSING_NUMBER if cell is None else cell for cell in numbers])
        return self._run(len(block), data, [_encoded(row[at]) for row in block for at in self._texts])

    def _run(self, rows: int, numbers: Any, texts: list[bytes]) -> dict[str, Tensor]:
        """The outputs by name. Raises ValueError where a row is refused; whoever asks finds which."""
        tensors = []
        if self._numbers:
            tensors.append(Tensor("double", (rows, len(self._numbers)), numbers))
        if self._texts:
            tensors.append(Tensor("string", (rows, len(self._texts)), texts))
        found = dict(zip(self._session.outputs, self._session.run(tensors), strict=True))
        if REFUSED in found and 1 in found[REFUSED].data:  # booleans, as bytes
            raise ValueError("a category that training did not see, or a number too large")
        return found

    def _nothing(self) -> Predictions:
        outputs = self._session.outputs
        return Predictions(
            [] if CLASSES in outputs else None,
            [] if PROBABILITIES in outputs else None,
            [] if VALUES in outputs else None,
        )


class _Encoded(dict[Any, bytes]):
    """Each text's bytes, made once: in a batch texts repeat."""

    def __missing__(self, cell: Any) -> bytes:
        made = self[cell] = _encoded(cell)
        return made


def _encoded(cell: Any) -> bytes:
    return MISSING_TEXT if cell is None else cell.encode("utf-8", "surrogatepass")
