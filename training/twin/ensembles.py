"""Estimators made of estimators: voting and bagging. Each member is translated as if it stood alone."""

from typing import Any

import numpy as np

from training.twin import translate
from training.twin.answers import Answer, largest
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
