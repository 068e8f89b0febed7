"""What a final estimator's part of the graph ends in, and the ways to get there. It knows no estimator."""

from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from training.twin.graph import Graph


@dataclass(frozen=True, slots=True)
class Answer:
    """Names of tensors of n rows.

    classes: int64 n, places in `classes_`. probabilities: double n by k; None where the estimator has none.
    values: double n, in regression.
    """

    classes: str | None = None
    probabilities: str | None = None
    values: str | None = None


def largest(graph: Graph, scores: str) -> str:
    """The place of each row's largest score, the first of equals: int64 n."""
    return graph.add("ArgMax", scores, axis=1, keepdims=0)


def positive(graph: Graph, decision: str, *, or_zero: bool = False) -> str:
    """1 where a binary decision (n by 1) is over 0, else 0: int64 n."""
    op = "GreaterOrEqual" if or_zero else "Greater"
    over = graph.cast(graph.add(op, decision, graph.constant([0.0])), TensorProto.INT64)
    return graph.add("Reshape", over, graph.constant([-1], np.int64))


def with_complement(graph: Graph, probability: str) -> str:
    """Both classes' probabilities from the second's: n by 2 from n by 1."""
    return graph.add("Concat", graph.add("Sub", graph.constant([1.0]), probability), probability, axis=1)


def column(graph: Graph, tensor: str, position: int) -> str:
    """One column, n by 1."""
    return graph.add("Gather", tensor, graph.constant([position], np.int64), axis=1)


def flat(graph: Graph, tensor: str) -> str:
    """n by 1 as n."""
    return graph.add("Reshape", tensor, graph.constant([-1], np.int64))
