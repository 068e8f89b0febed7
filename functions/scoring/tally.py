"""Counts while rows pass: rows, reasons, predictions, and how the features lie against the training data."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
import numpy as np

from functions.scoring.appended import label_text
from functions.scoring.summary import ClassCounts, FeatureReport, Rows, Spread
from functions.signature import Feature, Signature

if TYPE_CHECKING:
    from functions.inference.engine import Column

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]


class FeatureCounts(msgspec.Struct, frozen=True):
    """Of one feature over scored rows. sum: of the differences to the training mean, which keeps it small and exact."""

    present: int = 0
    outside: int = 0
    unseen: int = 0
    sum: float = 0.0

    def __add__(self, other: "FeatureCounts") -> "FeatureCounts":
        return FeatureCounts(
            self.present + other.present,
            self.outside + other.outside,
            self.unseen + other.unseen,
            self.sum + other.sum,
        )


class Counts(msgspec.Struct, frozen=True):
    """A tally as it travels: JSON-ready, but for a sum that is not finite. lines: physical lines passed."""

    scored: int
    blank: int
    invalid_utf8: int
    lines: int
    reasons: dict[str, int]
    classes: list[int]
    minimum: float | None
    maximum: float | None
    sum: float
    features: list[FeatureCounts]


class Tally:
    """The counts of one drop, or of a part of one. Memory does not grow with rows."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._features = [FeatureCounts() for _ in signature.features]
        self._classes = np.zeros(len(signature.classes), dtype=np.int64)
        self._minimum = math.inf
        self._maximum = -math.inf
        self._sum = 0.0
        self.scored = 0
        self.blank = 0
        self.invalid_utf8 = 0
        self.lines = 0
        self.reasons: Counter[str] = Counter()

    @classmethod
    def merged(cls, signature: Signature, parts: Iterable[Counts]) -> "Tally":
        """The tally of everything that the parts counted, in their order."""
        whole = cls(signature)
        for part in parts:
            whole.merge(part)
        return whole

    def merge(self, part: Counts) -> None:
        """Counts what a part counted."""
        self.scored += part.scored
        self.blank += part.blank
        self.invalid_utf8 += part.invalid_utf8
        self.lines += part.lines
        self.reasons.update(part.reasons)
        self._classes += np.array(part.classes, dtype=np.int64)
        if part.minimum is not None and part.maximum is not None:
            self._minimum, self._maximum = min(self._minimum, part.minimum), max(self._maximum, part.maximum)
        self._sum += part.sum
        self._features = [one + other for one, other in zip(self._features, part.features, strict=True)]

    def counts(self) -> Counts:
        """What was counted so far."""
        valued = self._minimum <= self._maximum
        return Counts(
            scored=self.scored,
            blank=self.blank,
            invalid_utf8=self.invalid_utf8,
            lines=self.lines,
            reasons=dict(self.reasons),
            classes=self._classes.tolist(),
            minimum=self._minimum if valued else None,
            maximum=self._maximum if valued else None,
            sum=self._sum,
            features=self._features,
        )

    def add(self, columns: "Sequence[Column]", classes: Array | None, values: Array | None, rows: int) -> None:
        """Counts `rows` scored rows, with what came out."""
        if rows == 0:
            return
        self.scored += rows
        seen = zip(self._features, self._signature.features, columns, strict=True)
        self._features = [before + _counted(feature, column) for before, feature, column in seen]
        if classes is not None:
            self._classes += np.bincount(classes, minlength=len(self._classes))
        if values is not None:
            self._minimum = min(self._minimum, float(values.min()))
            self._maximum = max(self._maximum, float(values.max()))
            self._sum += float(values.sum())

    @property
    def rows(self) -> Rows:
        rejected = self.reasons.total()
        return Rows(input=self.scored + rejected, scored=self.scored, rejected=rejected, blank=self.blank)

    @property
    def warnings(self) -> dict[str, int]:
        return {"invalid_utf8_cells": self.invalid_utf8} if self.invalid_utf8 else {}

    @property
    def predictions(self) -> ClassCounts | Spread:
        if self._signature.task == "classification":
            labels = map(label_text, self._signature.classes)
            return ClassCounts(dict(zip(labels, self._classes.tolist(), strict=True)))
        if self.scored == 0:
            return Spread(None, None, None)
        return Spread(self._minimum, self._sum / self.scored, self._maximum)

    @property
    def features(self) -> dict[str, FeatureReport]:
        both = zip(self._signature.features, self._features, strict=True)
        return {feature.name: _report(feature, counts, self.scored) for feature, counts in both}


def _counted(feature: Feature, column: "Column") -> FeatureCounts:
    if feature.dtype == "string":
        return _texts(column, frozenset(feature.categories or ()))
    if column.dtype == np.bool_:
        return FeatureCounts(present=len(column))
    with np.errstate(over="ignore", invalid="ignore"):
        missing = bool(np.isnan(column.sum()))  # or both infinities, which a number never is
        present: Any = column[~np.isnan(column)] if missing else column
        if feature.dtype != "float64" or not len(present):
            return FeatureCounts(present=len(present))
        return FeatureCounts(
            present=len(present),
            outside=_outside(feature, present),
            sum=float(np.sum(present - feature.mean)) if feature.mean is not None else 0.0,
        )


def _outside(feature: Feature, present: "Column") -> int:
    if feature.minimum is None or feature.maximum is None:
        return 0
    if present.min() >= feature.minimum and present.max() <= feature.maximum:
        return 0
    return int(np.count_nonzero((present < feature.minimum) | (present > feature.maximum)))


def _texts(column: "Column", categories: frozenset[str]) -> FeatureCounts:
    counts = Counter(column.tolist())
    present = counts.total() - counts[None]
    return FeatureCounts(
        present=present, unseen=present - sum(count for text, count in counts.items() if text in categories)
    )


def _report(feature: Feature, counts: FeatureCounts, rows: int) -> FeatureReport:
    number = feature.dtype == "float64"
    ranged = number and feature.minimum is not None and feature.maximum is not None
    categorical = feature.dtype == "string" and feature.categories is not None
    return FeatureReport(
        missing=(rows - counts.present) / rows if rows else None,
        out_of_range=_share(counts.outside, counts.present) if ranged else None,
        unseen=_share(counts.unseen, counts.present) if categorical else None,
        drift=_drift(feature, counts) if number else None,
    )


def _share(count: int, present: int) -> float | None:
    return count / present if present else None


def _drift(feature: Feature, counts: FeatureCounts) -> float | None:
    """None too where it is no finite number."""
    if not counts.present or feature.mean is None or not feature.std:
        return None
    drift = counts.sum / counts.present / feature.std
    return drift if math.isfinite(drift) else None
