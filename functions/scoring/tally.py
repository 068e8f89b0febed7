"""Counts while rows pass: rows, reasons, predictions, and how the features lie against the training data."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from functions.scoring.appended import label_text
from functions.scoring.summary import ClassCounts, FeatureReport, Rows, Spread
from functions.signature import Feature, Signature

if TYPE_CHECKING:
    from functions.inference.engine import Column


class Tally:
    """The counts of one drop. Memory does not grow with rows."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._features = [_FeatureTally(feature) for feature in signature.features]
        self._classes = [0] * len(signature.classes)
        self._minimum = math.inf
        self._maximum = -math.inf
        self._sum = 0.0
        self.scored = 0
        self.blank = 0
        self.invalid_utf8 = 0
        self.reasons: Counter[str] = Counter()

    def add(
        self, columns: "Sequence[Column]", classes: Sequence[int] | None, values: Sequence[float] | None, rows: int
    ) -> None:
        """Counts `rows` scored rows, with what came out."""
        if rows == 0:
            return
        self.scored += rows
        for one, column in zip(self._features, columns, strict=True):
            one.add(column)
        if classes is not None:
            for index, count in Counter(classes).items():
                self._classes[index] += count
        if values is not None:
            self._minimum = min(self._minimum, *values) if rows > 1 else min(self._minimum, values[0])
            self._maximum = max(self._maximum, *values) if rows > 1 else max(self._maximum, values[0])
            self._sum += math.fsum(values)

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
            return ClassCounts(dict(zip(labels, self._classes, strict=True)))
        if self.scored == 0:
            return Spread(None, None, None)
        return Spread(self._minimum, self._sum / self.scored, self._maximum)

    @property
    def features(self) -> dict[str, FeatureReport]:
        return {one.feature.name: one.report(self.scored) for one in self._features}


class _FeatureTally:
    """One feature. Sums are of differences to the training mean, which keeps them small and exact."""

    def __init__(self, feature: Feature) -> None:
        self.feature = feature
        self._categories = frozenset(feature.categories or ())
        self._present = 0
        self._outside = 0
        self._unseen = 0
        self._sum = 0.0

    def add(self, column: "Column") -> None:
        if self.feature.dtype == "string":
            self._add_texts(column)
        elif column.dtype == np.bool_:
            self._present += len(column)
        else:
            self._add_numbers(column)

    def _add_texts(self, column: "Column") -> None:
        for text, count in Counter(column.tolist()).items():
            if text is not None:
                self._present += count
                self._unseen += 0 if text in self._categories else count

    def _add_numbers(self, column: "Column") -> None:
        present: Any = column[~np.isnan(column)]
        self._present += len(present)
        feature = self.feature
        if feature.dtype != "float64":
            return
        if feature.minimum is not None and feature.maximum is not None:
            self._outside += int(np.count_nonzero((present < feature.minimum) | (present > feature.maximum)))
        if feature.mean is not None:
            with np.errstate(over="ignore", invalid="ignore"):
                self._sum += float(np.sum(present - feature.mean))

    def report(self, rows: int) -> FeatureReport:
        feature = self.feature
        number = feature.dtype == "float64"
        text = feature.dtype == "string"
        ranged = number and feature.minimum is not None and feature.maximum is not None
        return FeatureReport(
            missing=(rows - self._present) / rows if rows else None,
            out_of_range=self._share(self._outside) if ranged else None,
            unseen=self._share(self._unseen) if text and feature.categories is not None else None,
            drift=self._drift() if number else None,
        )

    def _share(self, count: int) -> float | None:
        return count / self._present if self._present else None

    def _drift(self) -> float | None:
        """None too where it is no finite number."""
        if not self._present or self.feature.mean is None or not self.feature.std:
            return None
        drift = self._sum / self._present / self.feature.std
        return drift if math.isfinite(drift) else None
