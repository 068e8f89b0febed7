"""Sorts the rows of a block by what may make a model refuse them. It predicts nothing; no verdict depends on it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from functions.signature import Feature

if TYPE_CHECKING:
    from functions.inference.engine import Column

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]


def groups(columns: "Sequence[Column]", features: Sequence[Feature], rows: int) -> list[Array]:
    """The indices of all `rows` rows: first those like the training data, then the others, alike beside alike.

    Alike: with gaps, texts that training did not see and numbers beyond its range in the same columns.
    """
    marks = [mark for column, feature in zip(columns, features, strict=True) for mark in _marks(column, feature)]
    marks = [mark for mark in marks if mark.any()]
    if not marks:
        return [np.arange(rows)]
    order = np.lexsort(marks)  # those without a mark are first
    plain = rows - int(np.logical_or.reduce(marks).sum())
    return [group for group in (order[:plain], order[plain:]) if len(group)]


def _marks(column: "Column", feature: Feature) -> list[Array]:
    if feature.dtype == "string":
        gaps = np.array([text is None for text in column], dtype=np.bool_)
        if feature.categories is None:
            return [gaps]
        known = {None, *feature.categories}
        return [gaps, np.array([text not in known for text in column], dtype=np.bool_)]
    if column.dtype == np.bool_:
        return []
    marks: list[Array] = [np.isnan(column)]
    if feature.minimum is not None:
        marks.append(column < feature.minimum)
    if feature.maximum is not None:
        marks.append(column > feature.maximum)
    return marks


def distinct(columns: "Sequence[Column]") -> tuple[Array, Array]:
    """Of n rows, the indices of the first of each kind, and which of these each row equals, bit by bit."""
    codes = np.ascontiguousarray(np.column_stack([_codes(column) for column in columns]))
    width = codes.shape[1] * codes.itemsize
    text = codes.tobytes()
    seen: dict[bytes, int] = {}
    which = np.array(
        [seen.setdefault(text[at : at + width], len(seen)) for at in range(0, len(text), width)], dtype=np.int64
    )
    return np.unique(which, return_index=True)[1], which


def _codes(column: "Column") -> Array:
    """Whole numbers that are equal where the values are."""
    if column.dtype == object:
        seen: dict[Any, int] = {}
        return np.array([seen.setdefault(text, len(seen)) for text in column], dtype=np.int64)
    if column.dtype == np.float64:
        return np.ascontiguousarray(column).view(np.int64)
    return column.astype(np.int64)
