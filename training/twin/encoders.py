"""Encoders and imputers: what a column's categories and missing values become. Each column has a table of its own.

The tables are made by asking the fitted encoder about each category it knows and one it does not know, so that its
options (drop, infrequent categories, values for the unknown) mean here what they mean there.
"""

import warnings
from typing import Any

import numpy as np

from training.twin.graph import Columns, Graph, NotConvertible, columns_of, encoded, is_missing

UNKNOWN_TEXT = "\x00no category is called so\x00"


def one_hot(graph: Graph, encoder: Any, columns: Columns) -> Columns:
    """OneHotEncoder: the place of the one, compared with every place."""
    made: Columns = ()
    for at, width in enumerate(encoder._n_features_outs):
        if not width:
            continue
        start = sum(encoder._n_features_outs[:at])
        table = _asked(encoder, columns, at)[:, start : start + width]
        ones = np.where(table.any(axis=1), table.argmax(axis=1), -1)
        if not np.array_equal(table, ones[:, None] == np.arange(width)):
            raise NotConvertible("a OneHotEncoder gives other than ones and zeros")
        one = graph.add("Gather", graph.constant(ones), _places(graph, encoder, columns, at), axis=0)
        made += columns_of(graph.doubles(graph.add("Equal", one, graph.constant(np.arange(width)))), width)
    return made


def ordinal(graph: Graph, encoder: Any, columns: Columns) -> Columns:
    """OrdinalEncoder, and TargetEncoder for regression and two classes: a number for each category."""
    if getattr(encoder, "target_type_", None) == "multiclass":
        raise NotConvertible("a TargetEncoder of more than two classes")
    made: Columns = ()
    for at in range(len(encoder.categories_)):
        table = _asked(encoder, columns, at)[:, at]
        made += columns_of(graph.add("Gather", graph.constant(table), _places(graph, encoder, columns, at), axis=0), 1)
    return made


def simple_imputer(graph: Graph, imputer: Any, columns: Columns) -> Columns:
    """SimpleImputer: its statistic where a value is missing, then the indicator's columns, if any."""
    gaps = _gaps(graph, imputer.missing_values, columns)
    kept = [at for at, value in enumerate(imputer.statistics_) if not is_missing(value)]  # others had no value at all
    if columns[0].kind == "text":
        fill = graph.constant(np.array([encoded(imputer.statistics_[at]) for at in kept], dtype=object))
    else:
        fill = graph.constant([imputer.statistics_[at] for at in kept], np.float64)
    filled = graph.add(
        "Where", _chosen(graph, gaps, kept, columns), fill, graph.matrix(tuple(columns[at] for at in kept))
    )
    made = columns_of(filled, len(kept), columns[0].kind)
    if imputer.add_indicator:
        flagged = imputer.indicator_.features_.tolist()
        made += columns_of(graph.doubles(_chosen(graph, gaps, flagged, columns)), len(flagged))
    return made


def _chosen(graph: Graph, tensor: str, places: list[int], columns: Columns) -> str:
    return (
        tensor if len(places) == len(columns) else graph.add("Gather", tensor, graph.constant(places, np.int64), axis=1)
    )


def _gaps(graph: Graph, missing: Any, columns: Columns) -> str:
    """Where a value is the missing one: bool n by len(columns)."""
    nan = isinstance(missing, float) and np.isnan(missing)
    if not nan and not isinstance(missing, str if columns[0].kind == "text" else int | float):
        raise NotConvertible(f"a SimpleImputer takes {missing!r} for missing")
    if columns[0].kind == "text":
        found = graph.add("Concat", *(graph.lookup(column, [missing]) for column in columns), axis=1)
        return graph.add("Equal", found, graph.constant([0]))
    cells = graph.numbers(columns)
    return graph.add("IsNaN", cells) if nan else graph.add("Equal", cells, graph.constant([float(missing)]))


def _places(graph: Graph, encoder: Any, columns: Columns, at: int) -> str:
    """For each cell of a column its row in the encoder's table: int64 n by 1. What the encoder refuses is refused."""
    known = encoder.categories_[at]
    place = graph.lookup(columns[at], list(known))
    if _refuses(encoder):
        graph.refuse(graph.add("Equal", place, graph.constant([len(known)])))
    return place


def _asked(encoder: Any, columns: Columns, at: int) -> Any:
    """The encoder's output for each category of column `at`, then for any other: float64, cases by outputs.

    In the other columns stands their first category.
    """
    known = list(encoder.categories_[at])
    other = (
        UNKNOWN_TEXT
        if columns[at].kind == "text"
        else 1.0 + max((abs(one) for one in known if not is_missing(one)), default=0)
    )
    cases = known if _refuses(encoder) else [*known, other]
    rows = np.empty((len(cases), len(columns)), dtype=object)
    rows[:] = [categories[0] for categories in encoder.categories_]
    rows[:, at] = cases
    if all(column.kind == "number" for column in columns):
        rows = rows.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a category is unknown, or a column without its name, is meant
        found = encoder.transform(rows)
    table = np.asarray(found.toarray() if hasattr(found, "toarray") else found, dtype=np.float64)
    if _refuses(encoder):  # the last row stands for rows that are refused
        table = np.vstack([table, np.zeros(table.shape[1])])
    return table


def _refuses(encoder: Any) -> bool:
    """Whether a category that it has not seen makes it raise an error."""
    return getattr(encoder, "handle_unknown", "ignore") == "error"
