"""Voting, bagging and adaptive boosting: each member is translated as if it stood alone."""

from typing import Any

import numpy as np
from onnx import TensorProto

from training.twin import translate
from training.twin.answers import Answer, column, flat, largest, positive
from training.twin.graph import Columns, Graph, NotConvertible


def voting_classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """VotingClassifier: its members were fitted on the places of the labels."""
    members = [translate.finish(graph, member, columns) for member in estimator.estimators_]
    weights = estimator._weights_not_none or [1.0] * len(members)
    if estimator.voting == "soft":
        if any(member.probabilities is None for member in members):
            raise NotConvertible("a VotingClassifier whose members have no probabilities")
        mean = _mean(graph, [member.probabilities or "" for member in members], weights)
        return Answer(largest(graph, mean), mean)
    places = np.arange(len(estimator.classes_), dtype=np.int64)
    votes = []
    for member in members:
        column = graph.add("Unsqueeze", member.classes or "", graph.constant([1]))
        votes.append(graph.doubles(graph.add("Equal", column, graph.constant(places))))
    return Answer(largest(graph, _mean(graph, votes, weights)))


def voting_regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """VotingRegressor."""
    members = [translate.finish(graph, member, columns).values or "" for member in estimator.estimators_]
    return Answer(values=_mean(graph, members, estimator._weights_not_none or [1.0] * len(members)))


def bagging_classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """BaggingClassifier: the mean of its members' probabilities, which see all classes."""
    members = _bagged(graph, estimator, columns)
    if any(len(member.classes_) != len(estimator.classes_) for member in estimator.estimators_):
        raise NotConvertible("a BaggingClassifier with a member that never saw some class")
    if any(member.probabilities is None for member in members):
        raise NotConvertible("a BaggingClassifier whose members have no probabilities")
    mean = _mean(graph, [member.probabilities or "" for member in members], [1.0] * len(members))
    return Answer(largest(graph, mean), mean)


def bagging_regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """BaggingRegressor."""
    members = [member.values or "" for member in _bagged(graph, estimator, columns)]
    return Answer(values=_mean(graph, members, [1.0] * len(members)))


def adapted_classifier(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """AdaBoostClassifier: every member's label counts as much as its weight, and against the others."""
    classes = len(estimator.classes_)
    places = graph.constant(np.arange(classes))
    decision = graph.constant(np.zeros(classes))
    for member, weight in zip(estimator.estimators_, estimator.estimator_weights_, strict=False):
        if not np.array_equal(member.classes_, estimator.classes_):
            raise NotConvertible("an AdaBoostClassifier with a member that never saw some class")
        label = graph.add("Unsqueeze", translate.finish(graph, member, columns).classes or "", graph.constant([1]))
        sides = graph.constant([weight]), graph.constant([-1 / (classes - 1) * weight])
        decision = graph.add("Add", decision, graph.add("Where", graph.add("Equal", label, places), *sides))
    decision = graph.add("Div", decision, graph.constant([estimator.estimator_weights_.sum()]))
    if classes > 2:
        scaled = graph.add("Div", decision, graph.constant([classes - 1.0]))
        return Answer(largest(graph, decision), graph.add("Softmax", scaled, axis=1))
    single = graph.total(graph.add("Mul", decision, graph.constant([-1.0, 1.0])))
    both = graph.add("Div", graph.add("Concat", graph.add("Neg", single), single, axis=1), graph.constant([2.0]))
    return Answer(positive(graph, single), graph.add("Softmax", both, axis=1))


def adapted_regressor(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """AdaBoostRegressor: the weighted median of its members."""
    members = [translate.finish(graph, member, columns).values or "" for member in estimator.estimators_]
    values = graph.add("Concat", *(graph.add("Unsqueeze", one, graph.constant([1])) for one in members), axis=1)
    count = graph.constant([len(members)])
    in_order, places = graph.add_many("TopK", (values, count), 2, axis=1, largest=0)
    weights = graph.add("Gather", graph.constant(estimator.estimator_weights_[: len(members)]), places, axis=0)
    reached = graph.add("CumSum", weights, graph.constant(1))
    half = graph.add("Mul", column(graph, reached, len(members) - 1), graph.constant([0.5]))
    over = graph.cast(graph.add("GreaterOrEqual", reached, half), TensorProto.INT64)
    median = graph.add("ArgMax", over, axis=1, keepdims=1)
    return Answer(values=flat(graph, graph.add("GatherElements", in_order, median, axis=1)))


def _bagged(graph: Graph, estimator: Any, columns: Columns) -> list[Answer]:
    own = zip(estimator.estimators_, estimator.estimators_features_, strict=True)
    return [translate.finish(graph, member, tuple(columns[place] for place in places)) for member, places in own]


def _mean(graph: Graph, tensors: list[str], weights: list[float]) -> str:
    parts = [
        graph.add("Mul", tensor, graph.constant(float(weight))) for tensor, weight in zip(tensors, weights, strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = graph.add("Add", total, part)
    return graph.add("Div", total, graph.constant(float(sum(weights))))
