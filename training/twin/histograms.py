"""Histogram gradient boosting: trees that compare float64 with float64, and categories with sets of them.

A set of categories that goes left becomes a column of its own, 0 for those and 1 for the others, so that every split
compares a number. Missing and unseen categories are missing there too, and go where the tree sends them.

Source: sklearn/ensemble/_hist_gradient_boosting/_predictor.pyx (_predict_one_from_raw_data).
"""

from typing import Any

import numpy as np
from onnx import TensorProto

from training.twin import encoders
from training.twin.answers import Answer, column, flat, largest, with_complement
from training.twin.graph import Columns, Graph
from training.twin.trees import Tree, summed


def classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """HistGradientBoostingClassifier."""
    raw = _raw(graph, estimator, columns)
    if estimator.n_trees_per_iteration_ > 1:
        probabilities = graph.add("Softmax", raw, axis=1)
    else:
        probabilities = with_complement(graph, graph.add("Sigmoid", raw))
    return Answer(largest(graph, probabilities), probabilities)


def regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """HistGradientBoostingRegressor."""
    raw = flat(graph, _raw(graph, estimator, columns))
    linear = estimator.loss in ("squared_error", "absolute_error", "quantile")
    return Answer(values=raw if linear else graph.add("Exp", raw))


def _raw(graph: Graph, estimator: Any, columns: Columns) -> str:
    """The raw prediction, n by 1 or n by k: where it starts, plus every stage in its order."""
    rows = graph.numbers(_prepared(graph, estimator, columns))
    sets = _Sets(len(columns))
    stages = [[sets.tree(predictor) for predictor in stage] for stage in estimator._predictors]
    rows = sets.beside(graph, rows)
    start = np.asarray(estimator._baseline_prediction, dtype=np.float64).reshape(-1)
    raws = []
    for target in range(estimator.n_trees_per_iteration_):
        total = summed(graph, [stage[target] for stage in stages], rows)
        raws.append(graph.add("Add", total, graph.constant(start[[target]])))
    return raws[0] if len(raws) == 1 else graph.add("Concat", *raws, axis=1)


def _prepared(graph: Graph, estimator: Any, columns: Columns) -> Columns:
    """As the trees have them: categories first, by their number, then what is a number already."""
    if estimator.is_categorical_ is None:
        return columns
    own = [one for one, categorical in zip(columns, estimator.is_categorical_, strict=True) if categorical]
    others = [one for one, categorical in zip(columns, estimator.is_categorical_, strict=True) if not categorical]
    encoder = estimator._preprocessor.named_transformers_["encoder"]
    return encoders.ordinal(graph, encoder, tuple(own)) + tuple(others)


class _Sets:
    """The sets of categories that go left, each with the number of its column beside the `width` that there are."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._columns: dict[tuple[int, bytes], int] = {}

    def tree(self, predictor: Any) -> Tree:
        """A fitted tree, its splits by category turned into splits by number."""
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        left, right = (np.where(leaf, -1, nodes[side].astype(np.int64)) for side in ("left", "right"))
        feature, threshold = nodes["feature_idx"].astype(np.int64), nodes["num_threshold"].copy()
        for at in np.flatnonzero(nodes["is_categorical"].astype(bool) & ~leaf):
            words = np.asarray(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][at]], dtype=np.uint32)
            key = int(feature[at]), words.tobytes()
            feature[at] = self._width + self._columns.setdefault(key, len(self._columns))
            threshold[at] = 0.5
        return Tree(feature, threshold, left, right, nodes["missing_go_to_left"], nodes["value"].reshape(-1, 1))

    def beside(self, graph: Graph, rows: str) -> str:
        """The rows with a column for every set: n by `width` and so many more."""
        if not self._columns:
            return rows
        graph.holds(self._width + len(self._columns))
        parts = [rows]
        for feature, words in self._columns:
            bits = np.unpackbits(np.frombuffer(words, dtype="<u4").view(np.uint8), bitorder="little")
            table = np.append(np.where(bits, 0.0, 1.0), np.nan)
            own = column(graph, rows, feature)
            missing = graph.constant(np.float64(len(bits)))
            place = graph.cast(graph.add("Where", graph.add("IsNaN", own), missing, own), TensorProto.INT64)
            parts.append(graph.add("Gather", graph.constant(table), place, axis=0))
        return graph.add("Concat", *parts, axis=1)
