"""Rows on which a twin is compared with its pipeline: those of training, and made ones where answers may well differ.

Tables here are lists of columns, as engines take them (`functions.inference.engine.Column`). Nothing here knows ONNX.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from functions.signature import Signature

Table: TypeAlias = list[Any]
"""One array of n cells for each feature."""

Answering: TypeAlias = Callable[[Table], Any]
"""One number for each row, NaN where the pipeline refuses it: the place of its class, or its value."""

PERTURBED = 2000
RANDOM = 1000
MISSING = 20  # rows for each feature that may be missing
UNKNOWN_SHARE = 0.05
PAIRS = 128
LARGEST = 1e100  # scikit-learn's own sums overflow, or not, by the order of their terms, somewhat over 1e150
HALVINGS = 40
"""A boundary is found to 1e-12 of the way: finer than float32 by far, coarser than two BLAS libraries differ."""


def columns_of(features: pd.DataFrame, signature: Signature) -> Table:
    """A table of training's rows; texts as objects with None for missing."""
    return [_column(features[feature.name], feature.dtype, feature.nullable) for feature in signature.features]


def _column(series: "pd.Series[Any]", dtype: str, nullable: bool) -> Any:
    if dtype == "string":
        cells = series.to_numpy(dtype=object, copy=True)
        cells[series.isna().to_numpy()] = None
        return cells
    if dtype == "bool" and not nullable:
        return series.to_numpy(dtype=bool)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def probes(signature: Signature, training: Table, answering: Answering, seed: int = 0) -> Iterator[Table]:
    """Tables of rows to compare, training's first. The same seed gives the same rows."""
    source = _Source(signature, training, np.random.default_rng(seed))
    yield training
    yield source.perturbed()
    yield source.corners()
    yield source.beyond()
    yield source.in_range()
    if any(feature.nullable for feature in signature.features):
        yield source.with_gaps()
    yield from source.boundaries(answering)


@dataclass
class _Source:
    signature: Signature
    training: Table
    random: np.random.Generator

    def __post_init__(self) -> None:
        self.numbers = [at for at, feature in enumerate(self.signature.features) if feature.dtype == "float64"]
        self.others = [at for at in range(len(self.training)) if at not in set(self.numbers)]
        self.rows = len(self.training[0])
        present = [self.training[at][~np.isnan(self.training[at])] for at in self.numbers]
        self.low, self.median, self.high, self.spread = (
            dict(zip(self.numbers, (float(of(cells)) for cells in present), strict=True))
            for of in (np.min, np.median, np.max, np.std)
        )

    def perturbed(self) -> Table:
        """Training rows, moved by a millionth, a tenth and one standard deviation; some other cells exchanged."""
        picked = self._picked(min(self.rows, PERTURBED))
        scale = self.random.choice([1e-6, 0.1, 1.0], size=len(picked[0]))
        for at in self.numbers:
            picked[at] = picked[at] + self.random.normal(size=len(scale)) * scale * (self.spread[at] or 1.0)
        self._exchange(picked, 0.2)
        return picked

    def corners(self) -> Table:
        """Medians, zeros, every smallest and every largest value, together and one by one."""
        settings = [{}, dict.fromkeys(self.numbers, 0.0), self.low, self.high]
        for at in self.numbers:
            span = self.high[at] - self.low[at]
            ends = (self.low[at], self.high[at], self.low[at] - span, self.high[at] + span, 0.0, -0.0)
            settings += [{at: value} for value in ends]
        return self._around_the_median(settings)

    def beyond(self) -> Table:
        """Numbers that no table holds: what the pipeline refuses or takes, the twin refuses or takes."""
        sizes = (1e6, 1e12, 3.4e38, 3.5e38, LARGEST)
        every = [dict.fromkeys(self.numbers, sign * size) for size in sizes for sign in (1, -1)]
        single = [{at: sign * size} for at in self.numbers[:50] for size in sizes[2:] for sign in (1, -1)]
        return self._around_the_median(every + single)

    def in_range(self) -> Table:
        """Random rows: numbers between smallest and largest, texts that training saw and some that it did not."""
        made = self._picked(RANDOM)
        for at in self.numbers:
            made[at] = self.random.uniform(self.low[at], self.high[at], size=RANDOM)
        self._exchange(made, 1.0)
        for at in self.others:
            if self.signature.features[at].dtype == "string":
                made[at][self.random.random(RANDOM) < UNKNOWN_SHARE] = "no text of the training table"
        self._gaps(made, 0.1)
        return made

    def with_gaps(self) -> Table:
        """Training rows without one feature that may be missing, without all of them, and without any of them."""
        nullable = [at for at, feature in enumerate(self.signature.features) if feature.nullable]
        made = self._picked(MISSING * (len(nullable) + 1))
        for turn, at in enumerate(nullable):
            _blank(made[at], slice(turn * MISSING, (turn + 1) * MISSING))
            _blank(made[at], slice(len(nullable) * MISSING, None))
        return made

    def boundaries(self, answering: Answering) -> Iterator[Table]:
        """Rows on both sides of where the answer changes, between pairs of training rows.

        Straight from row to row, and along one feature after the other, where a tree's thresholds are met exactly.
        """
        if not self.numbers:
            return
        one, other = self._pairs(answering)
        yield from self._between(answering, one, other)
        yield from self._between(answering, *self._along_one_feature(answering, one, other))

    def _between(self, answering: Answering, one: Table, other: Table) -> Iterator[Table]:
        low, high = _copy(one), _copy(other)
        below, above = answering(low), answering(high)
        for halving in range(HALVINGS):
            middle = _copy(low)
            for at in self.numbers:
                middle[at] = (low[at] + high[at]) / 2
            found = answering(middle)
            left = np.abs(found - below) < np.abs(above - found)  # the greater change lies above
            for at in self.numbers:
                low[at], high[at] = np.where(left, middle[at], low[at]), np.where(left, high[at], middle[at])
            below, above = np.where(left, found, below), np.where(left, above, found)
            if halving in (10, 20, 30):
                yield middle
        yield low
        yield high
        with np.errstate(over="ignore"):
            for side in (low, high):
                for towards in (None, np.inf, -np.inf):
                    yield self._as_float32(side, towards)

    def _as_float32(self, rows: Table, towards: float | None) -> Table:
        """Numbers that float32 holds: the nearest to each, or the next one above or below."""
        made = _copy(rows)
        for at in self.numbers:
            single = rows[at].astype(np.float32)
            made[at] = (single if towards is None else np.nextafter(single, np.float32(towards))).astype(np.float64)
        return made

    def _pairs(self, answering: Answering) -> tuple[Table, Table]:
        """Pairs of training rows with different answers, if there are any; alike but for their numbers."""
        order = self.random.permutation(self.rows)
        answers = answering(_take(self.training, order))
        partner = np.empty(len(order), dtype=np.int64)
        for place, answer in enumerate(answers[:PAIRS]):
            different = np.flatnonzero(answers != answer)
            partner[place] = self.random.choice(different) if len(different) else self.random.integers(len(order))
        count = min(PAIRS, len(order))
        one, other = _take(self.training, order[:count]), _take(self.training, order[partner[:count]])
        for at in self.others:
            other[at] = one[at].copy()
        for at in self.numbers:
            gap = np.isnan(one[at]) | np.isnan(other[at])
            one[at] = np.where(gap, other[at], one[at])
            other[at] = np.where(gap, one[at], other[at])
        return one, other

    def _along_one_feature(self, answering: Answering, one: Table, other: Table) -> tuple[Table, Table]:
        """From one row to the other a feature at a time: of each pair the step that changes the answer most."""
        low, high = _copy(one), _copy(one)
        now, most = _copy(one), np.full(len(one[0]), -1.0)
        before = answering(now)
        for at in self.random.permutation(self.numbers)[:100]:
            then = _copy(now)
            then[at] = other[at].copy()
            after = answering(then)
            change = np.nan_to_num(np.abs(after - before), nan=0.0)
            better = change > most
            for place in self.numbers:
                low[place] = np.where(better, now[place], low[place])
                high[place] = np.where(better, then[place], high[place])
            most, now, before = np.maximum(most, change), then, after
        return low, high

    def _around_the_median(self, settings: list[dict[int, float]]) -> Table:
        made = self._picked(len(settings))
        for at in self.numbers:
            made[at] = np.array([setting.get(at, self.median[at]) for setting in settings])
        return made

    def _picked(self, count: int) -> Table:
        """Training rows by chance; each once where that is enough."""
        if count <= self.rows:
            return _take(self.training, self.random.permutation(self.rows)[:count])
        return _take(self.training, self.random.integers(self.rows, size=count))

    def _exchange(self, rows: Table, share: float) -> None:
        """Puts into a share of the cells that are no numbers another row's."""
        for at in self.others:
            chosen = self.random.random(len(rows[at])) < share
            rows[at][chosen] = self.random.choice(self.training[at], size=int(chosen.sum()))

    def _gaps(self, rows: Table, share: float) -> None:
        for at, feature in enumerate(self.signature.features):
            if feature.nullable:
                _blank(rows[at], self.random.random(len(rows[at])) < share)


def _blank(cells: Any, chosen: Any) -> None:
    cells[chosen] = None if cells.dtype == object else np.nan


def _take(table: Table, rows: Any) -> Table:
    return [cells[rows] for cells in table]


def _copy(table: Table) -> Table:
    return [cells.copy() for cells in table]
