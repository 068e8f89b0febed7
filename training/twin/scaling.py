"""Scalers and PCA: what is added to, multiplied with and projected from every row, operation by operation as there."""

from typing import Any

import numpy as np

from training.twin.graph import Columns, Graph, NotConvertible, columns_of


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
    mean = reducer.mean_.reshape(1, -1) @ reducer.components_.T
    reduced = graph.linear(graph.numbers(columns), reducer.components_.T, -mean)
    if reducer.whiten:
        scale = np.sqrt(reducer.explained_variance_)
        smallest = np.finfo(scale.dtype).eps
        reduced = graph.add("Div", reduced, graph.constant(np.where(scale < smallest, smallest, scale)))
    return columns_of(reduced, len(reducer.components_))


def truncated(graph: Graph, reducer: Any, columns: Columns) -> Columns:
    """TruncatedSVD."""
    product = graph.add("MatMul", graph.numbers(columns), graph.constant(reducer.components_.T, np.float64))
    return columns_of(product, len(reducer.components_))


def normalizer(graph: Graph, scaler: Any, columns: Columns) -> Columns:
    """Normalizer: each row over its length; a row of zeros stays."""
    rows = graph.numbers(columns)
    sizes = graph.add("Abs", rows)
    if scaler.norm == "l2":
        length = graph.add("Sqrt", graph.total(graph.add("Mul", rows, rows)))
    elif scaler.norm == "l1":
        length = graph.total(sizes)
    else:
        length = graph.add("ReduceMax", sizes, axes=[1], keepdims=1)
    smallest = graph.constant([10 * np.finfo(np.float64).eps])
    length = graph.add("Where", graph.add("Less", length, smallest), graph.constant([1.0]), length)
    return columns_of(graph.add("Div", rows, length), len(columns))


def polynomial(graph: Graph, features: Any, columns: Columns) -> Columns:
    """PolynomialFeatures: each output is a product of at most `degree` columns."""
    powers = features.powers_
    factors = [np.repeat(np.arange(len(columns)), row) for row in powers]
    most = max(map(len, factors))
    places = np.array([np.pad(own, (0, most - len(own))) for own in factors])
    used = np.array([np.arange(most) < len(own) for own in factors])
    graph.holds(places.size)
    cells = graph.add("Gather", graph.numbers(columns), graph.constant(places), axis=1)  # n by outputs by factors
    filled = graph.add("Where", graph.constant(used), cells, graph.constant([1.0]))
    return columns_of(graph.add("ReduceProd", filled, axes=[2], keepdims=0), len(powers))


def bins(graph: Graph, discretizer: Any, columns: Columns) -> Columns:
    """KBinsDiscretizer: how many inner edges a number reaches, as a number or as the place of a one."""
    rows = graph.numbers(columns)
    made: Columns = ()
    for at, edges in enumerate(discretizer.bin_edges_):
        own = graph.add("Gather", rows, graph.constant([at]), axis=1)
        reached = graph.add("GreaterOrEqual", own, graph.constant(edges[None, 1:-1], np.float64))
        place = graph.total(graph.doubles(reached))
        if discretizer.encode == "ordinal":
            made += columns_of(place, 1)
        else:
            width = int(discretizer.n_bins_[at])
            made += columns_of(graph.doubles(graph.add("Equal", place, graph.constant(np.arange(float(width))))), width)
    return made


def power(graph: Graph, transformer: Any, columns: Columns) -> Columns:
    """PowerTransformer by Yeo and Johnson: one power for numbers over 0, another for those under 0."""
    powers = np.asarray(transformer.lambdas_, dtype=np.float64)
    if transformer.method != "yeo-johnson" or np.any(np.abs(powers * (2 - powers)) < np.finfo(np.float64).eps):
        raise NotConvertible("a PowerTransformer that takes logarithms")
    rows, zero, one = graph.numbers(columns), graph.constant([0.0]), graph.constant([1.0])
    sides = []
    for side, exponent in ((rows, powers), (graph.add("Neg", rows), 2 - powers)):
        raised = graph.add("Pow", graph.add("Add", graph.add("Max", side, zero), one), graph.constant(exponent))
        sides.append(graph.add("Div", graph.add("Sub", raised, one), graph.constant(exponent)))
    made = columns_of(graph.add("Sub", *sides), len(columns))
    return standard(graph, transformer._scaler, made) if transformer.standardize else made


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
