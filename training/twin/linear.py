"""Linear classifiers: their decision is X coef + intercept, and each class makes its own probabilities of it."""

from typing import Any

import numpy as np
from onnx import TensorProto

from training.twin.answers import Answer, largest, positive, with_complement
from training.twin.graph import Columns, Graph, NotConvertible


def logistic(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """LogisticRegression, LogisticRegressionCV and LinearDiscriminantAnalysis."""
    decision = _decision(graph, estimator, columns)
    if len(estimator.classes_) == 2:
        return Answer(positive(graph, decision), with_complement(graph, graph.add("Sigmoid", decision)))
    return Answer(largest(graph, decision), graph.add("Softmax", decision, axis=1))


def decision_only(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """RidgeClassifier, LinearSVC, Perceptron and the like: no probabilities."""
    decision = _decision(graph, estimator, columns)
    binary = np.shape(estimator.intercept_) == (1,) or len(estimator.classes_) == 2
    return Answer(positive(graph, decision) if binary else largest(graph, decision))


def stochastic_gradient(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """SGDClassifier: probabilities with two of its losses."""
    if estimator.loss not in ("log_loss", "modified_huber"):
        return decision_only(graph, estimator, columns)
    decision = _decision(graph, estimator, columns)
    if estimator.loss == "log_loss":
        each = _sigmoid(graph, decision)
    else:
        clipped = graph.add("Clip", decision, graph.constant(-1.0), graph.constant(1.0))
        each = graph.add("Div", graph.add("Add", clipped, graph.constant([1.0])), graph.constant([2.0]))
    if len(estimator.classes_) == 2:
        return Answer(positive(graph, decision), with_complement(graph, each))
    return Answer(largest(graph, decision), _one_against_rest(graph, each))


def _decision(graph: Graph, estimator: Any, columns: Columns) -> str:
    """n by k, or n by 1 for two classes."""
    if not hasattr(estimator, "coef_") or np.ndim(estimator.classes_) != 1:
        raise NotConvertible("several targets at once")
    weights = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)).T
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64).reshape(-1), weights.shape[1:])
    return graph.linear(graph.numbers(columns), weights, intercept)


def _sigmoid(graph: Graph, tensor: str) -> str:
    """With as many right digits near 0 as elsewhere, which the operator has not; they count where all are near 0."""
    return graph.add("Reciprocal", graph.add("Add", graph.add("Exp", graph.add("Neg", tensor)), graph.constant([1.0])))


def _one_against_rest(graph: Graph, each: str) -> str:
    """Each row over its sum; where all are zero, all alike."""
    total = graph.total(each)
    none = graph.cast(graph.add("Equal", total, graph.constant([0.0])), TensorProto.DOUBLE)
    return graph.add("Div", graph.add("Add", each, none), graph.total(graph.add("Add", each, none)))
