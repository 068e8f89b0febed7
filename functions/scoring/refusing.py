"""Finds the rows that a model refuses, in few predictions. Each is refused only after it was asked about alone.

Where refusals are rare they are found by halves. Where one follows the other, each row is asked about at once: by
halves that would take twice as many predictions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from functions.inference.engine import Engine, Predictions
from functions.scoring import suspects
from functions.signature import Feature

if TYPE_CHECKING:
    from functions.inference.engine import Column

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

GoOn: TypeAlias = Callable[[int, int, str], None]
"""Asked before each prediction, with the rows that are settled, those of them refused, and what one of these was told.
It raises where there is no time left."""


@dataclass(frozen=True, slots=True)
class Taken:
    """n predictions, and the rows of the block that they are for, as many or, where rows are alike, more.

    rows: indices into the block. choice: for each of them, which of the n predictions is its own.
    """

    rows: Array
    choice: Array
    predictions: list[Predictions]


@dataclass(slots=True)
class Found:
    """What became of a block's rows. refused: by index, what the model said."""

    taken: list[Taken] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)


def sort_out(engine: Engine, columns: "Sequence[Column]", features: Sequence[Feature], rows: int, go_on: GoOn) -> Found:
    """Sorts out `rows` rows which the engine refused as a whole. Raises what `go_on` raises."""
    found = Found()
    for group in suspects.groups(columns, features, rows):
        _Search(engine, [column[group] for column in columns], group, go_on, found).run(refused=len(group) == rows)
    return found


class _Search:
    """Through one group. Rows that are equal, bit by bit, are asked about once; positions count those that differ."""

    def __init__(self, engine: Engine, columns: "Sequence[Column]", group: Array, go_on: GoOn, found: Found) -> None:
        self._engine = engine
        self._columns = columns
        self._group = group
        self._go_on = go_on
        self._found = found
        self._counts = np.ones(len(group), dtype=np.int64)
        self._settled = sum(len(taken.rows) for taken in found.taken) + len(found.refused)
        self._refused_rows = len(found.refused)
        self._message = next(iter(found.refused.values()), "")
        self._positions: list[Array] = []
        self._predictions: list[Predictions] = []
        self._refused: dict[int, str] = {}

    def run(self, *, refused: bool) -> None:
        """refused: that the whole group is, is known already."""
        if not refused and self._takes(0, len(self._group)):
            whole = np.arange(len(self._group))
            self._found.taken.append(Taken(self._group, whole, self._predictions))
            return
        if self._refused:  # a group of one row, which was asked about alone by that
            self._found.refused[int(self._group[0])] = self._refused[0]
            return
        first, which = suspects.distinct(self._columns)
        self._columns = [column[first] for column in self._columns]
        self._counts = np.bincount(which)
        self._walk(len(first))
        self._close(which)

    def _walk(self, stop: int) -> None:
        """Through all positions, of which some are refused."""
        last, at, end = 0, 0, stop  # `last`: behind the last one refused; from `at` to `end` one is refused
        while True:
            while end - at > 1:
                middle = (at + end) // 2
                if self._takes(at, middle):
                    at = middle
                else:
                    end = middle
            if at not in self._refused:  # it was only asked about together with others
                self._takes(at, at + 1)
            step = max(1, (at - last) // 2)  # the next one may be about as far as this one was
            at += 1
            last = at
            while at < stop:
                end = min(at + step, stop)
                if not self._takes(at, end):
                    break
                at = end
                step *= 2
            else:
                return

    def _takes(self, start: int, stop: int) -> bool:
        """Whether the engine takes these rows at once. One alone is settled by that, either way."""
        self._go_on(self._settled, self._refused_rows, self._message)
        try:
            predictions = self._engine.predict_columns([column[start:stop] for column in self._columns])
        except ValueError as error:
            if stop - start == 1:
                self._refuse(start, str(error))
            return False
        self._positions.append(np.arange(start, stop))
        self._predictions.append(predictions)
        self._settled += int(self._counts[start:stop].sum())
        return True

    def _refuse(self, position: int, message: str) -> None:
        self._refused[position] = message
        self._message = self._message or message
        count = int(self._counts[position])
        self._settled += count
        self._refused_rows += count

    def _close(self, which: Array) -> None:
        """Gives each row of the group what was found of the one that it equals."""
        place = np.full(len(self._counts), -1, dtype=np.int64)
        positions = np.concatenate([*self._positions, np.empty(0, dtype=np.int64)])
        place[positions] = np.arange(len(positions))
        choice = place[which]
        kept = choice >= 0
        self._found.taken.append(Taken(self._group[kept], choice[kept], self._predictions))
        others = zip(self._group[~kept].tolist(), which[~kept].tolist(), strict=True)
        self._found.refused.update((row, self._refused[position]) for row, position in others)
