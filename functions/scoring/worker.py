"""Scores a dropped file within one function: the rounds of the drop protocol, with the streaming loop between them."""

import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime

from functions.errors import DropRefused, StoreError
from functions.inference.model import ServedModel
from functions.registry.store import Store
from functions.scoring import reasons, summing_up
from functions.scoring.drop import DropPaths
from functions.scoring.loop import Options, score_stream
from functions.scoring.models import Models
from functions.scoring.outlet import Outlet
from functions.scoring.pace import Pace
from functions.scoring.report import Report
from functions.scoring.results import Moved, Results
from functions.scoring.scorer import Scorer
from functions.scoring.summary import Input, Output, Outputs

ROUNDS = 8
PAUSE_MILLISECONDS = 100  # at most, times the round: it parts workers that disturb each other


class Worker(Scorer):
    """Scores drops of one data store. hand_over: takes a drop that is too large for one function, where that is on."""

    def __init__(
        self,
        data: Store,
        models: Models,
        options: Options,
        max_rejected_share: float,
        hand_over: Callable[[Input], None] | None = None,
    ) -> None:
        super().__init__(data, models, options, max_rejected_share)
        self._hand_over = hand_over

    def score(self, key: str, left: Callable[[], float] | None = None, whole: float | None = None) -> Report:
        """Scores the drop at `key` (within the store); `left` and `whole` as in Pace.

        Raises ModelError where no model can be loaded, StoreError, OutOfTime; the event is then to be retried.
        """
        results = Results(self._data, self._models, DropPaths(key))
        for number in range(ROUNDS):
            try:
                begun = results.begin()
                if isinstance(begun, Report):
                    return begun
                drop, model = begun
                return self._work(results, drop, model, Pace(drop.size, left, whole))
            except Moved:
                time.sleep(secrets.randbelow(PAUSE_MILLISECONDS) * number / 1000)
        raise StoreError(f"{key} or its results kept changing while it was scored; the event is to be retried")

    def _work(self, results: Results, drop: Input, model: ServedModel, pace: Pace) -> Report:
        """Streams, commits, and says in a summary what is there now."""
        started = datetime.now(UTC)
        paths = results.paths
        scored = Outlet(lambda: self._data.writer(paths.scored))
        rejected = Outlet(lambda: self._data.writer(paths.rejected))

        def make() -> Outputs:
            return Outputs(Output.of(paths.scored, scored.commit()), Output.of(paths.rejected, rejected.commit()))

        try:
            tally = score_stream(results.ranges(drop), scored, rejected, model, self._options, pace)
            outputs = results.commit(drop, make)
        except DropRefused as error:
            scored.abort()
            rejected.abort()
            if error.code == reasons.TOO_LARGE and self._hand_over:
                results.same(drop)
                self._hand_over(drop)  # the claim stays: whoever has it now scores it by the model it is bound to
                return Report("handed_over", error.message, None, model.version)
            return results.refuse(drop, model, error, started)
        except BaseException:
            scored.abort()
            rejected.abort()
            raise
        share = self._max_rejected_share
        summary = summing_up.scored(drop, model, tally, outputs, max_rejected_share=share, started=started)
        return results.finish(drop, summary)
