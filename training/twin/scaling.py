"""Scalers and PCA: what is added to, multiplied with and projected from every row, operation by operation as there."""

from typing import Any

import numpy as np

from training.twin.graph import Columns, Graph, columns_of


def standard(graph: Graph, scaler: Any, columns: Columns) -> Columns:
    """StandardScaler."""
    return _affine(graph, columns, minus=scaler.mean_ if scaler.with_mean else None, over=scaler.scale_)


def robust(graph: Graph, scaler: Any, columns: Columns) -> Columns:
    """RobustScaler."""
    center = scaler.center_ if scaler.with_centering else None
    return _affine(graph, columns, minus=center, over=scaler.scale_ if scaler.with_scaling else None)


def largest(graph: Graph, scaler: Any, columns: Columns) -> Columns:
    """MaxAbsScaler."""
    return _affine(graph, columns, over=scaler.scale_, bounds=(-1.0, 1.0) if scaler.clip else None)


def smallest_and_largest(graph: Graph, scaler: Any, columns: Columns) -> Columns:
    """MinMaxScaler."""
    bounds = scaler.feature_range if scaler.clip else None
    return _affine(graph, columns, times=scaler.scale_, plus=scaler.min_, bounds=bounds)


def pca(graph: Graph, reducer: Any, columns: Columns) -> Columns:
    """PCA: the mean is projected and taken off after the projection, as scikit-learn does."""
    rows = graph.add("MatMul", graph.numbers(columns), graph.constant(reducer.components_.T, np.float64))
    reduced = graph.add("Sub", rows, graph.constant(reducer.mean_.reshape(1, -1) @ reducer.components_.T))
    if reducer.whiten:
        scale = np.sqrt(reducer.explained_variance_)
        smallest = np.finfo(scale.dtype).eps
        reduced = graph.add("Div", reduced, graph.constant(np.where(scale < smallest, smallest, scale)))
    return columns_of(reduced, len(reducer.components_))


def truncated(graph: Graph, reducer: Any, columns: Columns) -> Columns:
    """TruncatedSVD."""
    product = graph.add("MatMul", graph.numbers(columns), graph.constant(reducer.components_.T, np.float64))
    return columns_of(product, len(reducer.components_))


def times(graph: Graph, columns: Columns, weight: float) -> Columns:
    """Columns times a number."""
    return _affine(graph, columns, times=weight)


def _affine(
    graph: Graph,
    columns: Columns,
    *,
    minus: Any = None,
    over: Any = None,
    times: Any = None,
    plus: Any = None,
    bounds: tuple[float, float] | None = None,
) -> Columns:
    rows = graph.numbers(columns)
    for op, value in (("Sub", minus), ("Div", over), ("Mul", times), ("Add", plus)):
        if value is not None:
            rows = graph.add(op, rows, graph.constant(value, np.float64))
    if bounds is not None:
        rows = graph.add("Clip", rows, graph.constant(bounds[0], np.float64), graph.constant(bounds[1], np.float64))
    return columns_of(rows, len(columns))
