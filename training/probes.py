"""Rows on which a twin is compared with its pipeline: those of training, and made ones where answers may well differ.

Tables here are lists of columns, as engines take them (`functions.inference.engine.Column`). Nothing here knows ONNX.
However wide the table, the made rows are bounded, so that the comparison ends in a time like that of the training.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, product
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
MISSING = 400  # rows in which features that may be missing are
STRANGERS = 64  # rows with a text that training did not see; more where there are more such features
PAIRS = 128
ALONE = 64  # features that are moved one by one, chosen by chance where there are more
BEYOND_ALONE = 16
MOST_CELLS = 2_000_000  # of a made table; a wide one has fewer rows
FEWEST = 64
LARGEST = 1e100  # scikit-learn's own sums overflow, or not, by the order of their terms, somewhat over 1e150
CUTS = (0.16, 0.33, 0.49, 0.66, 0.83)
"""Never the very middle of two training rows, which is equally far from both: rounding decides there."""
NARROWINGS = 12
"""A boundary is found to 1e-9 of the way: finer than float32 by far, coarser than scikit-learn's own rounding."""
SHOWN = (1, 3, 4, 6)  # after how many of them rows are compared on the way


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
    """Tables of rows to compare beside training's own. The same seed gives the same rows."""
    source = _Source(signature, training, np.random.default_rng(seed))
    yield source.perturbed()
    yield source.corners()
    yield source.beyond()
    yield source.in_range()
    if source.texts:
        yield source.with_strangers()
    if source.nullable:
        yield source.with_gaps()
    if source.numbers:
        yield from source.boundaries(answering)


@dataclass
class _Source:
    signature: Signature
    training: Table
    random: np.random.Generator

    def __post_init__(self) -> None:
        of_type: dict[str, list[int]] = {"float64": [], "bool": [], "string": []}
        for at, feature in enumerate(self.signature.features):
            of_type[feature.dtype].append(at)
        self.numbers, self.texts = of_type["float64"], of_type["string"]
        self.others = sorted(of_type["bool"] + self.texts)
        self.nullable = [at for at, feature in enumerate(self.signature.features) if feature.nullable]
        self.rows = len(self.training[0])
        present = [cells[~np.isnan(cells)] for cells in (self.training[at] for at in self.numbers)]
        present = [cells if len(cells) else np.zeros(1) for cells in present]
        self.low, self.median, self.high, self.spread = (
            dict(zip(self.numbers, (float(of(cells)) for cells in present), strict=True))
            for of in (np.min, np.median, np.max, np.std)
        )

    def perturbed(self) -> Table:
        """Training rows, moved by a millionth, a tenth and one standard deviation; some other cells exchanged."""
        picked = self._picked(self._room(min(self.rows, PERTURBED)))
        scale = self.random.choice([1e-6, 0.1, 1.0], size=len(picked[0]))
        for at in self.numbers:
            picked[at] = picked[at] + self.random.normal(size=len(scale)) * scale * (self.spread[at] or 1.0)
        self._exchange(picked, 0.2)
        return picked

    def corners(self) -> Table:
        """Medians, zeros, every smallest and every largest value, together and one by one."""
        tiny = float(np.finfo(np.float64).smallest_subnormal)
        settings = [{}, dict.fromkeys(self.numbers, 0.0), dict.fromkeys(self.numbers, tiny), self.low, self.high]
        for at in self._some(ALONE):
            span = self.high[at] - self.low[at]
            ends = (self.low[at], self.high[at], self.low[at] - span, self.high[at] + span, 0.0, -0.0, tiny, 2.0**60)
            settings += [{at: value} for value in ends]
        return self._around_the_median(settings)

    def beyond(self) -> Table:
        """Numbers that no table holds: what the pipeline refuses or takes, the twin refuses or takes."""
        sizes = (1e6, 1e12, 3.4e38, 3.5e38, LARGEST)
        every = [dict.fromkeys(self.numbers, sign * size) for size in sizes for sign in (1, -1)]
        single = [{at: sign * size} for at in self._some(BEYOND_ALONE) for size in sizes[2:] for sign in (1, -1)]
        return self._around_the_median(every + single)

    def in_range(self) -> Table:
        """Random rows: numbers between smallest and largest, booleans and texts of any row, gaps where they may be."""
        made = self._picked(self._room(RANDOM))
        rows = len(made[0])
        for at in self.numbers:
            made[at] = self.random.uniform(self.low[at], self.high[at], size=rows)
        self._exchange(made, 1.0)
        for at in self.nullable:
            _blank(made[at], self.random.random(rows) < 0.1)
        return made

    def with_strangers(self) -> Table:
        """Training rows with texts that training did not see, in one feature or in all: the empty one, and another."""
        which = [*([at] for at in self.texts), self.texts]
        cases = list(product(("no text of the training table", ""), which))
        made = self._picked(self._room(max(STRANGERS, len(cases))))
        for row, (text, own) in zip(range(len(made[0])), cycle(cases), strict=False):
            for at in own:
                made[at][row] = text
        return made

    def with_gaps(self) -> Table:
        """Training rows without one feature that may be missing, and without all of them."""
        which = [self.nullable, *([at] for at in self.nullable)]
        made = self._picked(self._room(max(MISSING, len(which))))
        for row, own in zip(range(len(made[0])), cycle(which), strict=False):
            for at in own:
                _blank(made[at], row)
        return made

    def boundaries(self, answering: Answering) -> Iterator[Table]:
        """Rows on both sides of where the answer changes, between pairs of training rows.

        Straight from row to row, and along one feature after the other, where a tree's thresholds are met exactly.
        """
        one, other = self._pairs(answering)
        low, high = self._along_one_feature(answering, one, other)
        low, high = _joined([one, low]), _joined([other, high])
        ends = answering(_joined([low, high])).reshape(2, -1)
        differ = np.flatnonzero(np.abs(ends[1] - ends[0]) > 0)  # not where one is refused
        found = list(self._narrowed(answering, _take(low, differ), _take(high, differ), ends[:, differ]))
        if found:
            yield _joined(found)

    def _narrowed(self, answering: Answering, low: Table, high: Table, ends: Any) -> Iterator[Table]:
        """Rows ever closer to the boundary between `low` and `high`, whose answers are `ends`, 2 by n."""
        for turn in range(1, NARROWINGS + 1):
            if not ends.size:
                return
            points = [low, *(self._way(low, high, cut) for cut in CUTS), high]
            inner = answering(_joined(points[1:-1])).reshape(len(CUTS), -1)
            told = np.concatenate([ends[:1], inner, ends[1:]])
            known = np.flatnonzero(~np.isnan(told).any(axis=0))
            told, points = told[:, known], [_take(point, known) for point in points]
            step = np.abs(np.diff(told, axis=0)).argmax(axis=0)
            low, high = self._chosen(points, step), self._chosen(points, step + 1)
            every = np.arange(len(step))
            ends = np.stack([told[step, every], told[step + 1, every]])
            if turn in SHOWN:
                yield self._way(low, high, CUTS[2])
        yield low
        yield high
        with np.errstate(over="ignore"):
            for side in (low, high):
                for towards in (None, np.inf, -np.inf):
                    yield self._as_float32(side, towards)

    def _way(self, low: Table, high: Table, share: float) -> Table:
        """A share of the way from each row to another."""
        made = _copy(low)
        for at in self.numbers:
            made[at] = low[at] + share * (high[at] - low[at])
        return made

    def _chosen(self, tables: list[Table], which: Any) -> Table:
        """Of each row that of one of the tables; they are alike but for their numbers."""
        made = _copy(tables[0])
        for at in self.numbers:
            made[at] = np.stack([table[at] for table in tables])[which, np.arange(len(which))]
        return made

    def _as_float32(self, rows: Table, towards: float | None) -> Table:
        """Numbers that float32 holds: the nearest to each, or the next one above or below."""
        made = _copy(rows)
        for at in self.numbers:
            single = rows[at].astype(np.float32)
            made[at] = (single if towards is None else np.nextafter(single, np.float32(towards))).astype(np.float64)
        return made

    def _pairs(self, answering: Answering) -> tuple[Table, Table]:
        """Pairs of training rows with different answers, if there are any; alike but for their numbers."""
        order = self.random.permutation(self.rows)[: self._room(PERTURBED)]
        answers = answering(_take(self.training, order))
        each = 2 * (len(SHOWN) + 8)  # rows that become of a pair
        count = min(PAIRS, len(order), self._room(each * PAIRS) // each)
        partner = np.empty(count, dtype=np.int64)
        for place, answer in enumerate(answers[:count]):
            different = np.flatnonzero(answers != answer)
            partner[place] = self.random.choice(different) if len(different) else self.random.integers(len(order))
        one, other = _take(self.training, order[:count]), _take(self.training, order[partner])
        for at in self.others:
            other[at] = one[at].copy()
        for at in self.numbers:
            gap = np.isnan(one[at]) | np.isnan(other[at])
            one[at] = np.where(gap, other[at], one[at])
            other[at] = np.where(gap, one[at], other[at])
        return one, other

    def _along_one_feature(self, answering: Answering, one: Table, other: Table) -> tuple[Table, Table]:
        """From one row to the other a feature at a time: of each pair the step that changes the answer most."""
        way = [_copy(one)]
        for at in self._some(ALONE):
            way.append(_copy(way[-1]))
            way[-1][at] = other[at].copy()
        at_once = max(1, MOST_CELLS // (len(one) * len(one[0])))
        told = [answering(_joined(way[start : start + at_once])) for start in range(0, len(way), at_once)]
        changes = np.abs(np.diff(np.concatenate(told).reshape(len(way), -1), axis=0))
        step = np.nan_to_num(changes, nan=0.0, posinf=0.0).argmax(axis=0)
        return self._chosen(way, step), self._chosen(way, step + 1)

    def _around_the_median(self, settings: list[dict[int, float]]) -> Table:
        made = self._picked(self._room(len(settings)))
        for at in self.numbers:
            made[at] = np.array([setting.get(at, self.median[at]) for setting in settings[: len(made[at])]])
        return made

    def _some(self, count: int) -> list[int]:
        """At most `count` of the numbers, by chance and in no order."""
        return [int(at) for at in self.random.permutation(self.numbers)[:count]]

    def _room(self, rows: int) -> int:
        """As many rows as wanted, fewer of a wide table."""
        return min(rows, max(FEWEST, MOST_CELLS // len(self.training)))

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


def _blank(cells: Any, chosen: Any) -> None:
    cells[chosen] = None if cells.dtype == object else np.nan


def _take(table: Table, rows: Any) -> Table:
    return [cells[rows] for cells in table]


def _copy(table: Table) -> Table:
    return [cells.copy() for cells in table]


def _joined(tables: list[Table]) -> Table:
    """The rows of all, one table after the other."""
    return [np.concatenate(cells) for cells in zip(*tables, strict=True)]
