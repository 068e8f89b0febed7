"""k nearest neighbours: distances to the bit, and of equally far neighbours the ones that scikit-learn finds first.

Candidates come from the fast formula for squared distances, which is right to a few digits; among them the distance is
summed feature by feature, as scikit-learn's trees do. Rows of a table often lie equally far from several neighbours,
and the order in which the k-d tree is searched decides which of them count: nearer child first, a leaf in its order.

Source: sklearn/neighbors/_binary_tree.pxi.tp (_query_single_depthfirst), _kd_tree.pyx.tp (min_rdist).
"""

from typing import Any

import numpy as np
from onnx import TensorProto

from training.twin.answers import Answer, flat, largest
from training.twin.graph import Columns, Graph, NotConvertible
from training.twin.svm import squared_distances


def classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """KNeighborsClassifier."""
    if estimator.outputs_2d_:
        raise NotConvertible("several targets at once")
    votes = _weighted(graph, estimator, columns, np.eye(len(estimator.classes_))[estimator._y])
    probabilities = graph.add("Div", votes, graph.total(votes))
    return Answer(largest(graph, probabilities), probabilities)


def regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """KNeighborsRegressor."""
    targets = np.asarray(estimator._y, dtype=np.float64).reshape(len(estimator._y), -1)
    if targets.shape[1] != 1:
        raise NotConvertible("several targets at once")
    found = _weighted(graph, estimator, columns, np.hstack([targets, np.ones_like(targets)]))
    sums, weights = (graph.add("Gather", found, graph.constant([at]), axis=1) for at in (0, 1))
    return Answer(values=flat(graph, graph.add("Div", sums, weights)))


def _weighted(graph: Graph, estimator: Any, columns: Columns, targets: Any) -> str:
    """Over each row's neighbours the weighted sum of their targets (points by w): n by w."""
    if estimator.effective_metric_ != "euclidean" or estimator.weights not in ("uniform", "distance"):
        raise NotConvertible(f"k-NN with metric {estimator.effective_metric_!r} and weights {estimator.weights!r}")
    points = np.asarray(estimator._fit_X, dtype=np.float64)
    k = estimator.n_neighbors
    candidates = min(len(points), 2 * k + 32)
    rows = graph.numbers(columns)
    nearest = graph.constant([candidates])
    _, found = graph.add_many("TopK", (squared_distances(graph, rows, points), nearest), 2, axis=1, largest=0)
    distances = _exact(graph, rows, graph.add("Gather", graph.constant(points), found, axis=0))
    turns = _turns(graph, estimator, rows, found) if estimator._fit_method == "kd_tree" else found
    chosen = _nearest(graph, distances, turns, k)
    weights = chosen if estimator.weights == "uniform" else _inverse(graph, distances, chosen)
    per_candidate = graph.add("Gather", graph.constant(targets), found, axis=0)  # n by candidates by w
    weighted = graph.add("Mul", per_candidate, graph.add("Unsqueeze", weights, graph.constant([2])))
    return graph.add("ReduceSum", weighted, graph.constant([1]), keepdims=0)


def _exact(graph: Graph, rows: str, points: str) -> str:
    """Squared distances of each row to its own points (n by c by d), summed in the order of the features: n by c."""
    differences = graph.add("Sub", points, graph.add("Unsqueeze", rows, graph.constant([1])))
    return _in_order(graph, graph.add("Mul", differences, differences))


def _in_order(graph: Graph, terms: str) -> str:
    """Sums along the last axis of three, one by one; the order decides the last bit, and the last bit the nearest."""
    return graph.add("Gather", graph.add("CumSum", terms, graph.constant(2)), graph.constant(-1), axis=2)


def _nearest(graph: Graph, distances: str, turns: str, k: int) -> str:
    """1.0 for the k that come first by (distance, turn), else 0.0: n by c."""
    one, other = ({"d": graph.add("Unsqueeze", distances, graph.constant([axis]))} for axis in (2, 1))
    one["t"], other["t"] = (graph.add("Unsqueeze", turns, graph.constant([axis])) for axis in (2, 1))
    nearer = graph.add("Less", other["d"], one["d"])
    earlier = graph.add("And", graph.add("Equal", other["d"], one["d"]), graph.add("Less", other["t"], one["t"]))
    before = graph.cast(graph.add("Or", nearer, earlier), TensorProto.INT64)
    rank = graph.add("ReduceSum", before, graph.constant([2]), keepdims=0)
    return graph.doubles(graph.add("Less", rank, graph.constant([k])))


def _inverse(graph: Graph, distances: str, chosen: str) -> str:
    """1 / distance of the chosen; where some distance is 0, those alone, with 1."""
    zero = graph.add("Mul", graph.doubles(graph.add("Equal", distances, graph.constant([0.0]))), chosen)
    any_zero = graph.add("Greater", graph.total(zero), graph.constant([0.0]))
    inverse = graph.add("Div", chosen, graph.add("Sqrt", distances))
    return graph.add("Where", any_zero, zero, inverse)


def _turns(graph: Graph, estimator: Any, rows: str, found: str) -> str:
    """When a row's search of the k-d tree comes to each of its candidates: double, n by c."""
    _, order, nodes, bounds = (np.asarray(part) for part in estimator._tree.get_arrays())
    leaves = np.flatnonzero(nodes["is_leaf"])
    levels = int(np.log2(len(nodes) + 1)) - 1  # of inner nodes; node i has the children 2i + 1 and 2i + 2
    leaf_of, place_of = np.empty(len(order), dtype=np.int64), np.empty(len(order))
    for at, leaf in enumerate(leaves):
        own = slice(nodes["idx_start"][leaf], nodes["idx_end"][leaf])
        leaf_of[order[own]], place_of[order[own]] = at, np.arange(len(order))[own]
    place = graph.add("Gather", graph.constant(place_of), found, axis=0)
    if not levels:
        return place
    turned, base = np.zeros((len(leaves) - 1, len(leaves))), np.zeros(len(leaves))
    for at, leaf in enumerate(leaves):
        node, worth = int(leaf), 1.0
        while node:
            parent, second = (node - 1) // 2, node % 2 == 0
            base[at] += worth if second else 0.0
            turned[parent, at] = -worth if second else worth
            node, worth = parent, 2 * worth
    swapped = graph.doubles(_second_is_nearer(graph, rows, bounds, len(leaves) - 1))
    turn = graph.add("Add", graph.add("MatMul", swapped, graph.constant(turned)), graph.constant(base))  # n by leaves
    own_leaf = graph.add("Gather", graph.constant(leaf_of), found, axis=0)
    at_leaf = graph.add("GatherElements", turn, own_leaf, axis=1)
    return graph.add("Add", graph.add("Mul", at_leaf, graph.constant([float(len(order))])), place)


def _second_is_nearer(graph: Graph, rows: str, bounds: Any, inner: int) -> str:
    """For each inner node whether its second child's box is nearer to the row than its first's: bool n by inner."""
    row = graph.add("Unsqueeze", rows, graph.constant([1]))
    under = graph.add("Sub", graph.constant(bounds[0, 1:]), row)
    over = graph.add("Sub", row, graph.constant(bounds[1, 1:]))
    outside = graph.add("Add", graph.add("Relu", under), graph.add("Relu", over))
    distance = _in_order(graph, graph.add("Mul", outside, outside))
    first, second = (graph.constant(np.arange(inner) * 2 + side) for side in (0, 1))
    return graph.add(
        "Less", graph.add("Gather", distance, second, axis=1), graph.add("Gather", distance, first, axis=1)
    )
