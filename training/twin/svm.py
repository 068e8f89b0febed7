"""Support vector machines: kernels in double precision, libsvm's votes and Platt's probabilities.

Source: LIBSVM, svm.cpp (svm_predict_values, sigmoid_predict, multiclass_probability); Wu, Lin and Weng, "Probability
Estimates for Multi-class Classification by Pairwise Coupling", 2004.
"""

from itertools import combinations
from typing import Any

import numpy as np
from onnx import TensorProto

from training.twin import foreign
from training.twin.answers import Answer, flat, largest
from training.twin.graph import Columns, Graph, NotConvertible

FAR = 1e150


def classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """SVC and NuSVC."""
    classes = len(estimator.classes_)
    if estimator.break_ties and classes > 2:
        raise NotConvertible("SVC with break_ties")
    decisions = _decisions(graph, estimator, columns)
    votes = _votes(graph, decisions, classes)
    if not estimator._effective_probability:
        return Answer(largest(graph, votes))
    # The probabilities are coupled by an iteration that stops early; ONNX has it as an operator, in single precision.
    return Answer(largest(graph, votes), foreign.answer(graph, estimator, columns).probabilities)


def regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """SVR and NuSVR."""
    weighted = graph.add("MatMul", _kernel(graph, estimator, columns), graph.constant(_dense(estimator.dual_coef_).T))
    return Answer(values=flat(graph, graph.add("Add", weighted, graph.constant(estimator.intercept_))))


def _decisions(graph: Graph, estimator: Any, columns: Columns) -> str:
    """libsvm's value for each pair of classes, n by k (k - 1) / 2; positive for the first of the two."""
    ends = np.cumsum(estimator.n_support_)
    own = [slice(end - count, end) for end, count in zip(ends, estimator.n_support_, strict=True)]
    coefficients = _dense(estimator._dual_coef_)  # as libsvm has it; dual_coef_ turns the sign of two classes
    pairs = list(combinations(range(len(own)), 2))
    weights = np.zeros((int(ends[-1]), len(pairs)))
    for place, (one, other) in enumerate(pairs):
        weights[own[one], place] = coefficients[other - 1, own[one]]
        weights[own[other], place] = coefficients[one, own[other]]
    product = graph.add("MatMul", _kernel(graph, estimator, columns), graph.constant(weights))
    return graph.add("Add", product, graph.constant(estimator._intercept_))


def _votes(graph: Graph, decisions: str, classes: int) -> str:
    """How many pairs each class wins, n by k."""
    pairs = list(combinations(range(classes), 2))
    first, second = np.zeros((len(pairs), classes)), np.zeros((len(pairs), classes))
    for place, (one, other) in enumerate(pairs):
        first[place, one] = second[place, other] = 1
    won = graph.cast(graph.add("Greater", decisions, graph.constant([0.0])), TensorProto.DOUBLE)
    lost = graph.add("Sub", graph.constant([1.0]), won)
    return graph.add(
        "Add",
        graph.add("MatMul", won, graph.constant(first)),
        graph.add("MatMul", lost, graph.constant(second)),
    )


def _kernel(graph: Graph, estimator: Any, columns: Columns) -> str:
    """Every row with every support vector, n by m."""
    vectors = _dense(estimator.support_vectors_)
    graph.holds(len(vectors))
    rows = graph.numbers(columns)
    if estimator.kernel not in ("linear", "poly", "rbf", "sigmoid"):
        raise NotConvertible(f"an SVM with kernel {estimator.kernel!r}")
    if estimator.kernel == "rbf":
        return graph.add(
            "Exp", graph.add("Mul", squared_distances(graph, rows, vectors), graph.constant([-estimator._gamma]))
        )
    products = graph.add("MatMul", rows, graph.constant(vectors.T))
    if estimator.kernel == "linear":
        return products
    scaled = graph.add("Mul", products, graph.constant([estimator._gamma], np.float64))
    shifted = graph.add("Add", scaled, graph.constant([estimator.coef0], np.float64))
    if estimator.kernel == "sigmoid":
        return graph.add("Tanh", shifted)
    return graph.add("Pow", shifted, graph.constant([estimator.degree], np.float64))


def squared_distances(graph: Graph, rows: str, points: "np.ndarray[Any, np.dtype[np.float64]]") -> str:
    """Of every row to every point, n by m, as |x|² - 2 x·p + |p|² about the points' centre; never under 0.

    About their centre, since the difference of large squares has few right digits; and what is too far to be squared is
    as far as can be.
    """
    centre = points.mean(axis=0)
    shifted = points - centre
    far = (graph.constant(-FAR), graph.constant(FAR))
    moved = graph.add("Clip", graph.add("Sub", rows, graph.constant(centre)), *far)
    squares = graph.total(graph.add("Mul", moved, moved))
    products = graph.add("MatMul", moved, graph.constant(-2 * shifted.T))
    every = graph.add("Add", graph.add("Add", products, squares), graph.constant((shifted**2).sum(axis=1)))
    return graph.add("Max", every, graph.constant([0.0]))


def _dense(matrix: Any) -> "np.ndarray[Any, np.dtype[np.float64]]":
    return np.asarray(matrix.toarray() if hasattr(matrix, "toarray") else matrix, dtype=np.float64)
