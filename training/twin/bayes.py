"""Naive Bayes over categories. Its relatives over numbers are skl2onnx's."""

from typing import Any

from onnx import TensorProto

from training.twin.answers import Answer, column, largest
from training.twin.graph import Columns, Graph


def categorical(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """CategoricalNB: for each feature a table of log probabilities, category by class; cells are whole places in it."""
    rows = graph.cast(graph.numbers(columns), TensorProto.INT64)
    joint = graph.constant(estimator.class_log_prior_)
    for at, by_class in enumerate(estimator.feature_log_prob_):
        place = column(graph, rows, at)
        count = by_class.shape[1]
        graph.refuse(graph.add("Less", place, graph.constant([0])))
        graph.refuse(graph.add("Greater", place, graph.constant([count - 1])))
        within = graph.add("Clip", place, graph.constant(0), graph.constant(count - 1))
        chosen = graph.add("Gather", graph.constant(by_class.T), within, axis=0)  # n by 1 by k
        joint = graph.add("Add", joint, graph.add("Squeeze", chosen, graph.constant([1])))
    return Answer(largest(graph, joint), graph.add("Softmax", joint, axis=1))
