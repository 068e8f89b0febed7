"""Trees and what is summed of them: decision trees, forests, gradient boosting.

scikit-learn casts a tree's inputs to float32 and compares them with float64 thresholds. ONNX's TreeEnsemble
(ai.onnx.ml 5) compares, and sums, in double, so that with the cast in front of it every row takes the same way. Its
leaves have one number each: where a leaf has one for each class, the tree gives the leaf's place in a table instead.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto, numpy_helper

from training.twin.answers import Answer, flat, largest, positive, with_complement
from training.twin.graph import ML, Columns, Graph, NotConvertible


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree of m nodes, the root first. left, right: children, -1 at a leaf; missing_left: where a NaN goes.

    value: what a leaf gives, m by width.
    """

    feature: Any
    threshold: Any
    left: Any
    right: Any
    missing_left: Any
    value: Any


def tree_classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """DecisionTreeClassifier and ExtraTreeClassifier."""
    return _mean_of_classes(graph, [estimator], estimator, columns)


def forest_classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """RandomForestClassifier and ExtraTreesClassifier."""
    return _mean_of_classes(graph, estimator.estimators_, estimator, columns)


def tree_regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """DecisionTreeRegressor and ExtraTreeRegressor."""
    return Answer(values=flat(graph, summed(graph, [_fitted(estimator)], _as_trees_see(graph, estimator, columns))))


def forest_regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """RandomForestRegressor and ExtraTreesRegressor."""
    total = summed(graph, [_fitted(tree) for tree in estimator.estimators_], _as_trees_see(graph, estimator, columns))
    return Answer(values=flat(graph, graph.add("Div", total, graph.constant([float(len(estimator.estimators_))]))))


def boosted_classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """GradientBoostingClassifier."""
    raw = _boosted(graph, estimator, columns)
    if estimator.loss == "exponential":
        doubled = graph.add("Mul", raw, graph.constant([2.0]))
        probabilities = with_complement(graph, graph.add("Sigmoid", doubled))
    elif estimator.n_trees_per_iteration_ == 1:
        probabilities = with_complement(graph, graph.add("Sigmoid", raw))
    else:
        return Answer(largest(graph, raw), graph.add("Softmax", raw, axis=1))
    return Answer(positive(graph, raw, or_zero=True), probabilities)


def boosted_regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """GradientBoostingRegressor."""
    return Answer(values=flat(graph, _boosted(graph, estimator, columns)))


def _mean_of_classes(graph: Graph, estimators: Sequence[Any], whole: Any, columns: Columns) -> Answer:
    if whole.n_outputs_ != 1:
        raise NotConvertible("several targets at once")
    rows = _as_trees_see(graph, whole, columns)
    trees = [_fitted(tree) for tree in estimators]
    places, table = _leaf_places(graph, trees, rows)
    graph.holds(len(trees) * table.shape[1])
    values = graph.add("Gather", graph.constant(table), places, axis=0)  # n by trees by classes
    summed = graph.add("ReduceSum", values, graph.constant([1], np.int64), keepdims=0)
    mean = graph.add("Div", summed, graph.constant([float(len(trees))]))
    return Answer(largest(graph, mean), mean)


def _boosted(graph: Graph, estimator: Any, columns: Columns) -> str:
    """The raw prediction, n by 1 or n by k: where it starts, plus every stage in its order."""
    start = estimator._raw_predict_init(np.zeros((1, len(columns)), dtype=np.float32))
    if estimator.init not in (None, "zero"):
        raise NotConvertible("gradient boosting that starts from another estimator")
    rows = _as_trees_see(graph, estimator, columns)
    raws = []
    for target in range(estimator.estimators_.shape[1]):
        trees = [_fitted(tree) for tree in estimator.estimators_[:, target]]
        stages = [_scaled(tree, estimator.learning_rate) for tree in trees]
        raws.append(graph.add("Add", summed(graph, stages, rows), graph.constant(start[:, target])))
    return raws[0] if len(raws) == 1 else graph.add("Concat", *raws, axis=1)


def _as_trees_see(graph: Graph, estimator: Any, columns: Columns) -> str:
    """Rounded to float32, and back to compare in double. A number over float32's range is refused."""
    single = graph.cast(graph.numbers(columns), TensorProto.FLOAT)
    graph.refuse_not_finite(single, nan_is_missing=estimator.__sklearn_tags__().input_tags.allow_nan)
    return graph.doubles(single)


def _fitted(estimator: Any) -> Tree:
    nodes = estimator.tree_.__getstate__()["nodes"]
    values = estimator.tree_.value[:, 0, :]
    return Tree(
        nodes["feature"],
        nodes["threshold"],
        nodes["left_child"],
        nodes["right_child"],
        nodes["missing_go_to_left"],
        values,
    )


def _scaled(tree: Tree, factor: float) -> Tree:
    return Tree(tree.feature, tree.threshold, tree.left, tree.right, tree.missing_left, tree.value * factor)


def summed(graph: Graph, trees: Sequence[Tree], rows: str) -> str:
    """The sum over trees of one number each, n by 1."""
    return _ensemble(graph, trees, rows, [tree.value[tree.left < 0, 0] for tree in trees], [0] * len(trees), 1)


def _leaf_places(graph: Graph, trees: Sequence[Tree], rows: str) -> tuple[str, Any]:
    """For each row and tree the place of its leaf in a table of all leaves: int64 n by trees; and the table."""
    counts = [int((tree.left < 0).sum()) for tree in trees]
    starts = np.cumsum([0, *counts])
    weights = [np.arange(start, start + count, dtype=np.float64) for start, count in zip(starts, counts, strict=False)]
    places = _ensemble(graph, trees, rows, weights, list(range(len(trees))), len(trees))
    table = np.concatenate([tree.value[tree.left < 0] for tree in trees])
    return graph.cast(places, TensorProto.INT64), table


def _ensemble(
    graph: Graph, trees: Sequence[Tree], rows: str, weights: Sequence[Any], targets: Sequence[int], width: int
) -> str:
    """One TreeEnsemble, n by width: for each target the sum of its trees' leaves, weighted in the leaves' order."""
    parts: dict[str, list[Any]] = {name: [] for name in _LISTS}
    nodes = leaves = 0
    for tree, weight, target in zip(trees, weights, targets, strict=True):
        one = _one_tree(tree, weight, target, nodes, leaves)
        for name, values in one.items():
            parts[name].append(values)
        nodes += len(one["nodes_featureids"])
        leaves += len(one["leaf_targetids"])
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    graph.needs_ml(5)
    attributes: dict[str, Any] = {
        name: numpy_helper.from_array(values.astype(_TENSORS[name]), name)
        if name in _TENSORS
        else values.astype(np.int64)
        for name, values in joined.items()
    }
    return graph.add(
        "TreeEnsemble", rows, domain=ML, n_targets=width, aggregate_function=1, post_transform=0, **attributes
    )


_TENSORS: dict[str, Any] = {"nodes_splits": np.float64, "nodes_modes": np.uint8, "leaf_weights": np.float64}
_LISTS = (
    "tree_roots", "nodes_featureids", "nodes_truenodeids", "nodes_trueleafs", "nodes_falsenodeids", "nodes_falseleafs",
    "nodes_missing_value_tracks_true", "nodes_splits", "nodes_modes", "leaf_targetids", "leaf_weights",
)  # fmt: skip


def _one_tree(tree: Tree, weights: Any, target: int, nodes: int, leaves: int) -> dict[str, Any]:
    """The attributes of one tree, whose inner nodes and leaves count from `nodes` and `leaves`."""
    is_leaf = np.asarray(tree.left) < 0
    count = int(is_leaf.sum())
    if count == 1:  # a tree of one leaf is a node with it on both sides
        both = {"truenodeids": [leaves], "trueleafs": [1], "falsenodeids": [leaves], "falseleafs": [1]}
        inner = {"featureids": [0], "missing_value_tracks_true": [0], "splits": [0.0], "modes": [0], **both}
        named = {f"nodes_{name}": np.array(values) for name, values in inner.items()}
        return {**named, "tree_roots": np.array([nodes]), "leaf_targetids": np.array([target]), "leaf_weights": weights}
    order = np.arange(count)
    place = np.where(is_leaf, leaves + np.cumsum(is_leaf) - 1, nodes + np.cumsum(~is_leaf) - 1)
    inner_left, inner_right = tree.left[~is_leaf], tree.right[~is_leaf]
    if place[inner_left[0]] == place[inner_right[0]]:
        # ONNX Runtime takes a root whose children have one number for a leaf, though one is a leaf and the other a node
        # (microsoft/onnxruntime#24679): the leaves move up by one.
        order = np.roll(order, 1)
        place[is_leaf] = leaves + np.argsort(order)
    return {
        "tree_roots": np.array([nodes]),
        "nodes_featureids": tree.feature[~is_leaf],
        "nodes_truenodeids": place[inner_left],
        "nodes_trueleafs": is_leaf[inner_left],
        "nodes_falsenodeids": place[inner_right],
        "nodes_falseleafs": is_leaf[inner_right],
        "nodes_missing_value_tracks_true": tree.missing_left[~is_leaf],
        "nodes_splits": tree.threshold[~is_leaf],
        "nodes_modes": np.zeros(int((~is_leaf).sum())),
        "leaf_targetids": np.full(count, target),
        "leaf_weights": np.asarray(weights)[order],
    }
