"""How the target is spread: rows of each class, or the quartiles of a number; fitted rows beside held-out ones."""

from collections import Counter
from typing import Any

import msgspec
import numpy as np

from functions.signature import Label
from training.card.sections.finite import mean_and_std
from training.evidence import Array, Evidence


class ClassRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One class and how many rows have it."""

    label: Label = msgspec.field(name="class")
    fitted: int
    held_out: int


class Spread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number's spread, in the target's own unit."""

    minimum: float
    lower_quartile: float
    median: float
    upper_quartile: float
    maximum: float
    mean: float | None
    std: float | None


class Histogram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """n + 1 edges around n bins, with the share of the rows in each."""

    edges: list[float]
    fitted: list[float]
    held_out: list[float] | None


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """classes: of a classifier, in the signature's order. fitted, held_out, histogram: of a regression."""

    name: str
    classes: list[ClassRows] | None = None
    fitted: Spread | None = None
    held_out: Spread | None = None
    histogram: Histogram | None = None


MOST_BINS = 24


def measure(evidence: Evidence) -> Target:
    name = evidence.signature.target
    held_out = None if evidence.held_out is None else evidence.held_out.truth
    if evidence.signature.task == "classification":
        return Target(name, classes=_classes(evidence, held_out))
    return Target(
        name,
        fitted=_spread(evidence.train_truth),
        held_out=None if held_out is None or not len(held_out) else _spread(held_out),
        histogram=_histogram(evidence.train_truth, held_out),
    )


def _classes(evidence: Evidence, held_out: Array | None) -> list[ClassRows]:
    fitted: Counter[Any] = Counter(evidence.train_truth.tolist())
    kept: Counter[Any] = Counter([] if held_out is None else held_out.tolist())
    return [ClassRows(label, fitted[label], kept[label]) for label in evidence.signature.classes]


def _spread(values: Array) -> Spread:
    numbers = np.asarray(values, dtype=np.float64)
    low, lower, middle, upper, high = np.quantile(numbers, [0, 0.25, 0.5, 0.75, 1]).tolist()
    return Spread(low, lower, middle, upper, high, *mean_and_std(numbers))


def _histogram(fitted: Array, held_out: Array | None) -> Histogram:
    numbers = np.asarray(fitted, dtype=np.float64)
    more = np.asarray([] if held_out is None else held_out, dtype=np.float64)
    everything = np.concatenate([numbers, more])
    bins = int(np.clip(np.sqrt(len(everything)), 4, MOST_BINS))
    try:
        edges = np.histogram_bin_edges(everything, bins)
    except ValueError:  # a range too narrow or too wide for float64 to cut
        edges = np.array([everything.min(), everything.max()])
    return Histogram(edges.tolist(), _shares(numbers, edges), _shares(more, edges) if len(more) else None)


def _shares(values: Array, edges: Array) -> list[float]:
    if len(edges) == 2:
        return [1.0]
    counts, _ = np.histogram(values, edges)
    return [float(count) for count in counts / max(1, len(values))]
