"""k nearest neighbours: distances to the bit, and of equally far neighbours the ones that scikit-learn finds first.

Rows of a table often lie equally far from several neighbours, and the order in which the k-d tree is searched decides
which of them count: the child whose box is nearer first, a leaf in its order. Distances are summed feature by feature,
as the tree does; the last bit decides what is equally far.

Source: sklearn/neighbors/_binary_tree.pxi.tp (_query_single_depthfirst), _kd_tree.pyx.tp (min_rdist).
"""

from typing import Any

import numpy as np

from training.twin.answers import Answer, column, flat, largest
from training.twin.graph import BetterLeft, Columns, Graph, NotConvertible

MOST_NUMBERS = 1_000_000
"""Points times features; every row is compared with all of them, and over so many the tree is faster."""


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
    return Answer(values=flat(graph, graph.add("Div", column(graph, found, 0), column(graph, found, 1))))


def _weighted(graph: Graph, estimator: Any, columns: Columns, targets: Any) -> str:
    """Over each row's neighbours the weighted sum of their targets (points by w): n by w."""
    if estimator.effective_metric_ != "euclidean" or estimator.weights not in ("uniform", "distance"):
        raise NotConvertible(f"k-NN with metric {estimator.effective_metric_!r} and weights {estimator.weights!r}")
    points = np.asarray(estimator._fit_X, dtype=np.float64)
    if points.size > MOST_NUMBERS:
        raise BetterLeft(f"k-NN over {points.shape[0]} points of {points.shape[1]} features; its tree is faster")
    graph.holds(points.size)
    rows = graph.numbers(columns)
    tree = estimator._tree if estimator._fit_method == "kd_tree" else None
    if tree is not None:  # as the tree has them
        order = np.asarray(tree.get_arrays()[1])
        points, targets = points[order], targets[order]
    differences = graph.add("Sub", graph.constant(points), graph.add("Unsqueeze", rows, graph.constant([1])))
    distances = _in_order(graph, graph.add("Mul", differences, differences))
    found = graph.constant(np.arange(len(points))[None, :])
    turns = None if tree is None else _turns(graph, tree, rows)
    if turns is not None:
        _, found = graph.add_many("TopK", (turns, graph.constant([len(points)])), 2, axis=1, largest=0)
        distances = graph.add("GatherElements", distances, found, axis=1)
    # Of equals TopK takes the first.
    nearest, places = graph.add_many("TopK", (distances, graph.constant([estimator.n_neighbors])), 2, axis=1, largest=0)
    own = places if turns is None else graph.add("GatherElements", found, places, axis=1)
    values = graph.add("Gather", graph.constant(targets), own, axis=0)  # n by k by w
    if estimator.weights == "distance":
        values = graph.add("Mul", values, graph.add("Unsqueeze", inverse(graph, nearest), graph.constant([2])))
    return graph.add("ReduceSum", values, graph.constant([1]), keepdims=0)


def _in_order(graph: Graph, terms: str) -> str:
    """Sums along the last axis of three, one term after the other."""
    return graph.add("Gather", graph.add("CumSum", terms, graph.constant(2)), graph.constant(-1), axis=2)


def inverse(graph: Graph, squares: str) -> str:
    """1 / distance; where some distance is 0, 1 for those and 0 for the others."""
    zero = graph.doubles(graph.add("Equal", squares, graph.constant([0.0])))
    any_zero = graph.add("Greater", graph.total(zero), graph.constant([0.0]))
    return graph.add("Where", any_zero, zero, graph.add("Reciprocal", graph.add("Sqrt", squares)))


def _turns(graph: Graph, tree: Any, rows: str) -> str | None:
    """When a row's search comes to each point, the points in the tree's order: double n by points. None: in that order.

    Node i has the children 2i + 1 and 2i + 2. A leaf's turn is a binary number, a digit for each node above it: whether
    it lies in the child that is searched second, which is the second one unless that is nearer.
    """
    _, _, nodes, bounds = (np.asarray(part) for part in tree.get_arrays())
    leaves = np.flatnonzero(nodes["is_leaf"])
    inner = len(nodes) - len(leaves)
    if not inner:
        return None
    if not np.array_equal(leaves, np.arange(inner, len(nodes))):
        raise NotConvertible("a k-d tree that is not full")
    swaps, base = np.zeros((inner, len(leaves))), np.zeros(len(leaves))
    for at, leaf in enumerate(leaves):
        node, worth = int(leaf), 1.0
        while node:
            parent, second = (node - 1) // 2, node % 2 == 0
            base[at] += worth if second else 0.0
            swaps[parent, at] = -worth if second else worth
            node, worth = parent, 2 * worth
    swapped = graph.doubles(_second_is_nearer(graph, rows, bounds, inner))
    turn = graph.add("Add", graph.add("MatMul", swapped, graph.constant(swaps)), graph.constant(base))  # n by leaves
    leaf_of = np.repeat(np.arange(len(leaves)), nodes["idx_end"][leaves] - nodes["idx_start"][leaves])
    of_points = graph.add("Gather", turn, graph.constant(leaf_of), axis=1)
    count = float(len(leaf_of))
    return graph.add("Add", graph.add("Mul", of_points, graph.constant([count])), graph.constant(np.arange(count)))


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
