"""Encoders: what a column's categories become. Each column has a table of its own.

The tables are made by asking the fitted encoder about each category it knows and one it does not know, so that its
options (drop, infrequent categories, values for the unknown) mean here what they mean there.
"""

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from training.twin.graph import Columns, Graph, NotConvertible, columns_of, is_missing

UNKNOWN_TEXT = "\x00no category is called so\x00"
AT_ONCE = 256  # rows that an encoder is asked about; each may have thousands of outputs


def one_hot(graph: Graph, encoder: Any, columns: Columns) -> Columns:
    """OneHotEncoder: the place of the one, compared with every place."""
    widths = encoder._n_features_outs
    starts = np.cumsum([0, *widths])
    ones = np.full((_cases(encoder), len(columns)), -1)
    for first, table in _asked(encoder, columns):
        row, output = np.nonzero(table)
        at = np.searchsorted(starts, output, side="right") - 1
        if np.any(table[row, output] != 1) or len(np.unique(row * len(columns) + at)) < len(row):
            raise NotConvertible("a OneHotEncoder gives other than ones and zeros")
        ones[first + row, at] = output - starts[at]
    made: Columns = ()
    for column, width in enumerate(widths):
        if width:
            place = _places(graph, encoder, columns, column)
            one = graph.add("Gather", graph.constant(_of_column(encoder, ones, column, -1)), place, axis=0)
            made += columns_of(graph.doubles(graph.add("Equal", one, graph.constant(np.arange(width)))), width)
    return made


def ordinal(graph: Graph, encoder: Any, columns: Columns) -> Columns:
    """OrdinalEncoder, and TargetEncoder for regression and two classes: a number for each category."""
    if getattr(encoder, "target_type_", None) == "multiclass":
        raise NotConvertible("a TargetEncoder of more than two classes")
    table = np.concatenate([part for _, part in _asked(encoder, columns)])
    made: Columns = ()
    for at in range(len(encoder.categories_)):
        own = graph.constant(_of_column(encoder, table, at, 0.0))
        made += columns_of(graph.add("Gather", own, _places(graph, encoder, columns, at), axis=0), 1)
    return made


def _places(graph: Graph, encoder: Any, columns: Columns, at: int) -> str:
    """For each cell of a column its row in the encoder's table: int64 n by 1. What the encoder refuses is refused."""
    known = encoder.categories_[at]
    place = graph.lookup(columns[at], list(known))
    if _refuses(encoder):
        graph.refuse(graph.add("Equal", place, graph.constant([len(known)])))
    return place


def _asked(encoder: Any, columns: Columns) -> Iterator[tuple[int, Any]]:
    """The encoder's outputs, float64, with the number of their first row, AT_ONCE rows at a time.

    Row i asks for the i-th category of every column, or for its first where it has no so many; the last row for one
    that no column knows, unless that is refused.
    """
    strangers = [_stranger(known, column.kind) for known, column in zip(encoder.categories_, columns, strict=True)]
    cases = _cases(encoder)
    for first in range(0, cases, AT_ONCE):
        own = range(first, min(cases, first + AT_ONCE))
        rows = np.empty((len(own), len(columns)), dtype=object)
        for at, known in enumerate(encoder.categories_):
            rows[:, at] = [known[case] if case < len(known) else known[0] for case in own]
        if own[-1] == cases - 1 and not _refuses(encoder):
            rows[-1] = strangers
        if all(column.kind == "number" for column in columns):
            rows = rows.astype(np.float64)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that a category is unknown, or a column without its name, is meant
            found = encoder.transform(rows)
        yield first, np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float64)


def _cases(encoder: Any) -> int:
    return max(map(len, encoder.categories_)) + (0 if _refuses(encoder) else 1)


def _stranger(known: Any, kind: str) -> Any:
    """What is no category of the column."""
    return UNKNOWN_TEXT if kind == "text" else 1.0 + max((abs(one) for one in known if not is_missing(one)), default=0)


def _of_column(encoder: Any, table: Any, at: int, refused: float) -> Any:
    """Of a table of all cases what column `at` needs: its categories, then any other."""
    own, other = table[: len(encoder.categories_[at]), at], table[-1:, at]
    return np.append(own, [refused] if _refuses(encoder) else other).astype(table.dtype)


def _refuses(encoder: Any) -> bool:
    """Whether a category that it has not seen makes it raise an error."""
    return getattr(encoder, "handle_unknown", "ignore") == "error"
