"""Imputers: what stands in for a missing value, in numbers and in texts."""

from typing import Any

import numpy as np

from training.twin.answers import column
from training.twin.graph import Columns, Graph, NotConvertible, columns_of, encoded, is_missing
from training.twin.neighbours import inverse


def simple(graph: Graph, imputer: Any, columns: Columns) -> Columns:
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
    return columns_of(filled, len(kept), columns[0].kind) + _flags(graph, imputer, gaps, columns)


def knn(graph: Graph, imputer: Any, columns: Columns) -> Columns:
    """KNNImputer: the mean of the nearest training rows that have the value, by the features that both rows have."""
    missing = imputer.missing_values
    if not (isinstance(missing, float) and np.isnan(missing)) or imputer.metric != "nan_euclidean":
        raise NotConvertible("a KNNImputer with other missing values than NaN, or another metric")
    if imputer.weights not in ("uniform", "distance") or not imputer._valid_mask.all():
        raise NotConvertible("a KNNImputer with weights of its own, or a column without any value")
    points, unknown = np.asarray(imputer._fit_X, dtype=np.float64), np.asarray(imputer._mask_fit_X)
    graph.holds(len(points))
    rows = graph.numbers(columns)
    gaps = graph.add("IsNaN", rows)
    squares = _squared_distances(graph, rows, gaps, points, unknown)
    made: Columns = ()
    for at in range(len(columns)):
        own = column(graph, rows, at)
        if unknown[:, at].any():  # others were never missing
            found = _neighbours_mean(graph, imputer, squares, points[:, at], np.flatnonzero(~unknown[:, at]))
            own = graph.add("Where", column(graph, gaps, at), found, own)
        made += columns_of(own, 1)
    return made + _flags(graph, imputer, gaps, columns)


def _squared_distances(graph: Graph, rows: str, gaps: str, points: Any, unknown: Any) -> str:
    """n by points: over the features that both have, scaled up to all features; infinite where they share none."""
    zero, known = graph.constant([0.0]), (~unknown).T.astype(np.float64)
    filled = np.where(unknown, 0.0, points).T
    cells = graph.add("Where", gaps, zero, rows)
    present = graph.doubles(graph.add("Not", gaps))
    own = graph.add("MatMul", graph.add("Mul", cells, cells), graph.constant(known))
    other = graph.add("MatMul", present, graph.constant(filled**2))
    both = graph.add("MatMul", cells, graph.constant(-2 * filled))
    squares = graph.add("Max", graph.add("Add", graph.add("Add", own, other), both), zero)
    shared = graph.add("MatMul", present, graph.constant(known))
    scaled = graph.add("Div", graph.add("Mul", squares, graph.constant([float(len(filled))])), shared)
    return graph.add("Where", graph.add("Equal", shared, zero), graph.constant([np.inf]), scaled)


def _neighbours_mean(graph: Graph, imputer: Any, squares: str, values: Any, donors: Any) -> str:
    """n by 1; the mean of all donors where none shares a feature with the row."""
    k = graph.constant([min(imputer.n_neighbors, len(donors))])
    own = graph.add("Gather", squares, graph.constant(donors), axis=1)
    nearest, places = graph.add_many("TopK", (own, k), 2, axis=1, largest=0)
    given = graph.add("Gather", graph.constant(values[donors]), places, axis=0)
    weights = graph.doubles(graph.add("Not", graph.add("IsInf", nearest)))
    if imputer.weights == "distance":
        weights = inverse(graph, nearest)
    total = graph.total(weights)
    mean = graph.add("Div", graph.total(graph.add("Mul", weights, given)), total)
    none = graph.add("Equal", total, graph.constant([0.0]))
    return graph.add("Where", none, graph.constant([values[donors].mean()]), mean)


def _flags(graph: Graph, imputer: Any, gaps: str, columns: Columns) -> Columns:
    """The indicator's columns, if any."""
    if not imputer.add_indicator:
        return ()
    flagged = imputer.indicator_.features_.tolist()
    return columns_of(graph.doubles(_chosen(graph, gaps, flagged, columns)), len(flagged))


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
