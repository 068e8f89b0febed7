"""Scores one window: its bytes with the appended cells, what is rejected, and what was counted. It writes nothing."""

import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from functions.inference.model import ServedModel
from functions.scoring.appended import Appender
from functions.scoring.columns import Block, BlockReader, Rejection
from functions.scoring.framing import Record, Rest
from functions.scoring.header import Header
from functions.scoring.pace import Pace, Refusals
from functions.scoring.predicting import Answers, predict_block, refusal
from functions.scoring.refusing import GoOn
from functions.scoring.splicing import spliced
from functions.scoring.tally import Counts, Tally
from functions.scoring.window_reader import WindowReader
from functions.scoring.windows import Framed, Window

AT_ONCE = 8192  # records that the exact way holds, cell by cell


@dataclass(slots=True)
class Scored:
    """What becomes of one window. parts: the bytes of scored rows. rejected: in the input's order."""

    counts: Counts
    parts: list[Any] = field(default_factory=list)
    rejected: list[Rejection | Rest] = field(default_factory=list)


class WindowScorer:
    """Scores windows under one header; several threads may at once."""

    def __init__(self, header: Header, model: ServedModel, limit: int, pace: Pace, *, probabilities: bool) -> None:
        self._model = model
        self._pace = pace
        self._windows = WindowReader(header, model.signature, limit)
        self._blocks = BlockReader(header, model.signature, limit)
        self._appender = Appender(model.signature, header.separator, probabilities=probabilities)
        # A pipeline may be anybody's code: whether two threads may run it at once is not known.
        self._alone: Any = nullcontext() if model.engine.name == "onnx" else threading.Lock()

    def score(self, window: Window | Framed, size: int) -> Scored:
        """The records of one window, perhaps none. size: bytes of the input that it comes from, packed as they are.

        Raises what Pace raises where rows that the model refuses take longer than there is.
        """
        tally = Tally(self._model.signature)
        scored = Scored(tally.counts())
        with np.errstate(all="ignore"):  # sums of huge numbers overflow; each answer is looked at whether it is finite
            if isinstance(window, Framed):
                self._score_framed(window.records, size, tally, scored)
            elif window.text:
                self._score(self._windows.read(window), size, tally, scored)
        scored.counts = tally.counts()
        return scored

    def _score_framed(self, framed: Sequence[Record | Rest], size: int, tally: Tally, scored: Scored) -> None:
        """They are all records, but for what follows a record too long to hold."""
        held: list[Record] = []
        for item in framed:
            if isinstance(item, Record):
                held.append(item)
            if isinstance(item, Rest) or len(held) == AT_ONCE:
                self._score_records(held, size, tally, scored)
                held = []
            if isinstance(item, Rest):
                scored.rejected.append(item)
        self._score_records(held, size, tally, scored)

    def _score_records(self, records: list[Record], size: int, tally: Tally, scored: Scored) -> None:
        if records:
            self._score(self._blocks.read(records), size, tally, scored)

    def _score(self, block: Block, size: int, tally: Tally, scored: Scored) -> None:
        tally.blank += block.blank
        tally.invalid_utf8 += block.invalid_utf8
        rows, columns = block.rows, block.columns
        rejections = block.rejections
        if len(rows):
            with self._alone:
                answers = predict_block(
                    self._model.engine,
                    columns,
                    self._model.signature.features,
                    len(rows),
                    self._go_on(size / len(rows)),
                )
            if answers.failed:
                failed = [Rejection(rows.record(index), *why) for index, why in answers.failed.items()]
                rejections = sorted(rejections + failed, key=lambda one: one.record.line)
                rows, columns = rows.only(answers.kept), [column[answers.kept] for column in columns]
            if len(rows):
                tally.add(columns, answers.classes, answers.values, len(rows))
                scored.parts.append(self._with_cells(rows.text, rows.stops, answers))
        for rejection in rejections:
            tally.reasons[rejection.reason] += 1
        scored.rejected += rejections

    def _go_on(self, size_of_row: float) -> GoOn:
        """Looks at the clock while the rows that the model refuses are looked for, which may take long."""

        def ask(settled: int, refused: int, message: str) -> None:
            self._pace.within(int(settled * size_of_row), Refusals(refused, refusal(message)))

        return ask

    def _with_cells(self, text: bytes, stops: Any, answers: Answers) -> Any:
        whole: Any = text
        for cells in self._appender.cells(answers.classes, answers.probabilities, answers.values):
            whole, stops = spliced(whole, stops, cells)
        return memoryview(whole)
