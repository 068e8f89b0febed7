"""The engine that runs the fitted scikit-learn pipeline itself. It is handed the pipeline; it unpickles nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.errors import ModelRefused
from functions.inference.engine import Predictions
from functions.signature import Cell, Signature

if TYPE_CHECKING:
    from functions.inference.engine import Column

REFUSALS = (LookupError, ArithmeticError, TypeError, AttributeError)
"""What steps raise beside ValueError for a cell of the right type: a place in no table, a text among numbers, the
method of a text asked of a missing value."""


class JoblibEngine:
    name = "joblib"

    def __init__(self, pipeline: Any, signature: Signature) -> None:
        self._pipeline = pipeline
        self._signature = signature
        # A pipeline fitted on a table selects columns by name and warns about anything else.
        self._by_name = hasattr(pipeline, "feature_names_in_")
        self._numbers_only = all(feature.dtype == "float64" for feature in signature.features)
        if signature.task == "classification":
            self._index = {label: index for index, label in enumerate(signature.classes)}

    def predict_rows(self, rows: Sequence[Sequence[Cell]]) -> Predictions:
        columns = [
            _column([row[position] for row in rows], feature.dtype, feature.nullable)
            for position, feature in enumerate(self._signature.features)
        ]
        found = self.predict_columns(columns)
        return Predictions(
            classes=None if found.classes is None else np.asarray(found.classes).tolist(),
            probabilities=None if found.probabilities is None else np.asarray(found.probabilities).tolist(),
            values=None if found.values is None else np.asarray(found.values).tolist(),
        )

    def predict_columns(self, columns: "Sequence[Column]") -> Predictions:
        if len(columns[0]) == 0:  # scikit-learn refuses to predict nothing
            return self._nothing()
        try:
            with np.errstate(all="ignore"):  # whoever asks looks at each answer whether it is finite
                return self._predict(self.table(columns))
        except REFUSALS as error:
            raise ValueError(f"the pipeline refuses a row ({type(error).__name__}: {error})") from error

    def _predict(self, table: Any) -> Predictions:
        if self._signature.task == "regression":
            values = np.asarray(self._pipeline.predict(table), dtype=np.float64).reshape(-1)
            if len(values) != len(table):
                raise ModelRefused(
                    f"the pipeline gives {len(values)} numbers for {len(table)} rows; it must give one each"
                )
            return Predictions(None, None, values)  # type: ignore[arg-type] # an array where a sequence is asked for
        labels = np.asarray(self._pipeline.predict(table)).tolist()
        classes = np.fromiter((self._index[label] for label in labels), dtype=np.int64, count=len(labels))
        probabilities = self._pipeline.predict_proba(table) if hasattr(self._pipeline, "predict_proba") else None
        return Predictions(classes, probabilities, None)  # type: ignore[arg-type] # as above

    def table(self, columns: "Sequence[Column]") -> Any:
        """The columns as the pipeline was fitted on them: a DataFrame, or an array of n rows."""
        if self._by_name or not self._numbers_only:
            import pandas as pd

            texts = pd.StringDtype("python", na_value=np.nan)
            named = {
                # as read_csv gives it where there is no pyarrow: missing is NaN, also where every cell is missing
                feature.name: pd.Series(column, dtype=texts) if feature.dtype == "string" else column
                for feature, column in zip(self._signature.features, columns, strict=True)
            }
            return pd.DataFrame(named, columns=self._signature.names, copy=False)
        return np.column_stack(columns)

    def _nothing(self) -> Predictions:
        if self._signature.task == "regression":
            return Predictions(None, None, [])
        has = hasattr(self._pipeline, "predict_proba")
        empty: Any = np.empty((0, len(self._signature.classes)))
        return Predictions([], empty if has else None, None)


def _column(cells: list[Cell], dtype: str, nullable: bool) -> "Column":
    if dtype == "string":
        return np.array(cells, dtype=object)
    if dtype == "bool" and not nullable:
        return np.array(cells, dtype=bool)
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)
