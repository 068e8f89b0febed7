"""One run of the command line: a source, two targets, the loop between them. No drop, no claim, no summary object."""

import sys
from contextlib import closing
from dataclasses import dataclass

from functions.inference.model import ServedModel
from functions.scoring.files import STANDARD, NoTarget, Source, source_of, target_of
from functions.scoring.loop import Options, score_stream
from functions.scoring.outlet import Outlet
from functions.scoring.pace import Pace
from functions.scoring.progress import shown
from functions.scoring.tally import Tally


@dataclass(frozen=True, slots=True)
class Scored:
    """Counts of rows. failed: the share of rejected rows was too large; the outputs are there all the same."""

    input: int
    scored: int
    rejected: int
    reasons: dict[str, int]
    failed: bool


class Run:
    """Scores files with one model."""

    def __init__(self, model: ServedModel, options: Options, max_rejected_share: float) -> None:
        self._model = model
        self._options = options
        self._max_rejected_share = max_rejected_share
        self.model = f"{model.name} {model.version}"

    def score(self, source: str, target: str, rejected: str | None) -> Scored:
        """Scores `source` to `target`; rejected rows go to `rejected`, or are only counted.

        Raises Mistake, DropRefused, StoreError, OSError; the scored output is then as it was before.
        """
        with closing(source_of(source, sys.stdin)) as opened:  # first: a missing input leaves no trace of an output
            tally = self._stream(opened, target, rejected)
        rows = tally.rows
        share = rows.rejected / rows.input if rows.input else 0.0
        reasons = dict(sorted(tally.reasons.items()))
        return Scored(rows.input, rows.scored, rows.rejected, reasons, share > self._max_rejected_share)

    def _stream(self, opened: Source, target: str, rejected: str | None) -> Tally:
        out = target_of(target, sys.stdout)
        aside = NoTarget() if rejected is None else target_of(rejected, sys.stdout)
        scored_rows, rejected_rows = Outlet(out.begin), Outlet(aside.begin)
        try:
            beside = sys.stdout if STANDARD in (target, rejected) else None
            with shown(opened, sys.stderr, beside=beside) as chunks:
                tally = score_stream(chunks, scored_rows, rejected_rows, self._model, self._options, Pace(0))
            kept = rejected_rows.commit()  # first: where the input is scored in place, it holds these rows till then
            scored_rows.commit()
            if kept is None:
                aside.remove()
        except BaseException:
            scored_rows.abort()
            rejected_rows.abort()
            raise
        return tally
