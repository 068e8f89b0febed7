"""The drop protocol: one drop is scored once, by one model version, and its summary vouches for the result.

A worker goes through rounds. In each it looks at the input anew, so that a file replaced in the middle, another worker
on the same drop or a crashed one before it only cost a round. The steps of a round, each safe to be the last:

1. look: is the input there, and does its summary vouch for it already?
2. claim: create `scored/<path>.<drop>.claim.json` with the model version; who finds one uses that one's version
3. withdraw: delete the summary of an older drop; from here on nothing vouches for the old results
4. score: stream the input by ranges with `If-Match`; outputs are not visible
5. commit: both outputs, or for a refused drop neither
6. vouch: write the summary, while the input and the outputs are still the ones it names
7. sweep: delete the claims, when all that was looked at again and stands

A worker that stalls for minutes between reading and writing can at worst overwrite newer results or withdraw a newer
summary; its own next look finds the disagreement and the drop is scored again.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from functions.errors import DropRefused, ModelError, ModelRefused, ObjectNotFound, PreconditionFailed, StoreError
from functions.inference.model import ServedModel
from functions.registry.store import Store
from functions.scoring import claim as claims
from functions.scoring import reasons
from functions.scoring import summary as summaries
from functions.scoring.claim import Claim, ClaimedModel
from functions.scoring.drop import DropPaths, why_ignored
from functions.scoring.loop import Options, score_stream
from functions.scoring.models import Models
from functions.scoring.outlet import Outlet
from functions.scoring.pace import Pace
from functions.scoring.summary import Input, Model, Output, Outputs, Rows, Status, Summary
from functions.scoring.tally import Tally

ROUNDS = 8
RANGE_BYTES = 4 * 1024 * 1024  # fixed, like the block size: two workers predict in the same blocks
PAUSE_MILLISECONDS = 100  # at most, times the round: it parts workers that disturb each other


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a drop. reason: in words, None where it was scored. size: bytes of input read for it."""

    status: Status | Literal["already_done", "gone"]
    reason: str | None
    rows: Rows | None
    version: str | None = None
    size: int = 0

    @property
    def worked(self) -> bool:
        """Whether this call did the work."""
        return self.status not in ("already_done", "gone")


class _Restart(Exception):
    """Something moved; look again."""


class Worker:
    """Scores drops of one data store."""

    def __init__(self, data: Store, models: Models, options: Options, max_rejected_share: float) -> None:
        self._data = data
        self._models = models
        self._options = options
        self._max_rejected_share = max_rejected_share

    def warm(self) -> ServedModel:
        """Loads the live model. Raises ModelError, StoreError."""
        return self._models.current()

    def why_ignored(self, bucket: str, key: str) -> str | None:
        """Why the object of an event is no drop for this worker, in words; None where it is one."""
        return why_ignored(bucket, key, self._data)

    def within(self, key: str) -> str:
        """An event's key as the store's own."""
        return key.removeprefix(self._data.prefix)

    def score(self, key: str, left: Callable[[], float] | None = None, whole: float | None = None) -> Report:
        """Scores the drop at `key` (within the store); `left` and `whole` as in Pace.

        Raises ModelError where no model can be loaded, StoreError, OutOfTime; the event is then to be retried.
        """
        scoring = _Scoring(self._data, self._models, self._options, self._max_rejected_share, DropPaths(key))
        for number in range(ROUNDS):
            try:
                return scoring.round(left, whole)
            except _Restart:
                time.sleep(secrets.randbelow(PAUSE_MILLISECONDS) * number / 1000)
        raise StoreError(f"{key} or its results kept changing while it was scored; the event is to be retried")


class _Scoring:
    """The rounds of one call: each looks at the drop anew, and does the work that follows from it."""

    def __init__(
        self, data: Store, models: Models, options: Options, max_rejected_share: float, paths: DropPaths
    ) -> None:
        self._data = data
        self._models = models
        self._options = options
        self._max_rejected_share = max_rejected_share
        self._paths = paths
        self._bound: dict[Input, str] = {}  # what this call has seen claimed: a claim may be gone when it looks again

    def round(self, left: Callable[[], float] | None, whole: float | None) -> Report:
        drop = self._look()
        if drop is None:
            return self._gone()
        found = self._read_summary()
        if found and self._vouches(found, drop):
            self._sweep(drop)
            return Report("already_done", f"this drop was {found.status} before", found.rows, found.model.version)
        if found and found.input == drop:
            self._bound[drop] = found.model.version
        model = self._claim(drop)
        self._bound[drop] = model.version
        self._withdraw(drop)
        if not self._exists(self._paths.claim(drop)):
            raise _Restart  # another worker finished it meanwhile
        summary = self._work(drop, model, Pace(drop.size, left, whole))
        self._vouch(drop, summary)
        self._sweep(drop)
        reason = f"{summary.reason}: {summary.message}" if summary.reason else None
        return Report(summary.status, reason, summary.rows, model.version, drop.size)

    # looking

    def _look(self) -> Input | None:
        try:
            return Input.of(self._paths.incoming, self._data.stat(self._paths.incoming))
        except ObjectNotFound:
            return None

    def _same(self, drop: Input | None) -> None:
        if self._look() != drop:
            raise _Restart

    def _exists(self, key: str) -> bool:
        try:
            self._data.stat(key)
        except ObjectNotFound:
            return False
        return True

    def _read_summary(self) -> summaries.Vouched | None:
        try:
            return summaries.decode(self._data.get(self._paths.summary).body)
        except ObjectNotFound:
            return None

    def _vouches(self, found: summaries.Vouched, drop: Input) -> bool:
        return found.input == drop and self._stands(found.outputs)

    def _stands(self, outputs: Outputs) -> bool:
        """Whether the objects named are there as named, and no others."""
        return self._is(self._paths.scored, outputs.scored) and self._is(self._paths.rejected, outputs.rejected)

    def _is(self, key: str, output: Output | None) -> bool:
        try:
            stat = self._data.stat(key)
        except ObjectNotFound:
            return output is None
        return output is not None and output.etag == stat.etag

    # claiming and withdrawing

    def _claim(self, drop: Input) -> ServedModel:
        """The model this drop is bound to, loaded."""
        key = self._paths.claim(drop)
        claimed = self._read_claim(key)
        if claimed is None:
            bound = self._bound.get(drop)
            # Loaded before it is claimed: a version that cannot be loaded must not bind a drop.
            model = self._models.version(bound) if bound else self._models.current()
            now = datetime.now(UTC).isoformat(timespec="milliseconds")
            try:
                self._data.put(key, claims.encode(Claim(ClaimedModel(model.name, model.version), now)), create=True)
            except PreconditionFailed:
                claimed = self._read_claim(key)
                if claimed is None:
                    raise _Restart from None
            else:
                return model
        try:
            return self._models.version(claimed)
        except ModelError as error:
            told = f"{error.message} ({drop.key} is bound to this version by {key}; delete that to bind it anew)"
            raise type(error)(told) from error

    def _read_claim(self, key: str) -> str | None:
        """The version a claim names; None where there is none."""
        try:
            body = self._data.get(key).body
        except ObjectNotFound:
            return None
        found = claims.decode(body)
        if found is None or found.model.name != self._models.name:
            named = "is unreadable" if found is None else f"is for the model {found.model.name}"
            raise ModelRefused(f"the claim {key} {named}; delete it, and replay the event")
        return found.model.version

    def _withdraw(self, drop: Input) -> None:
        """Deletes the summary, unless it is this drop's and right: then another worker finished meanwhile."""
        try:
            body = self._data.get(self._paths.summary).body
        except ObjectNotFound:
            return
        found = summaries.decode(body)
        if found and self._vouches(found, drop):
            raise _Restart
        self._same(drop)
        self._data.delete(self._paths.summary)

    # the work

    def _work(self, drop: Input, model: ServedModel, pace: Pace) -> Summary:
        """Streams, commits, and says in a summary what is there now."""
        started, clock = datetime.now(UTC), time.monotonic()
        scored = Outlet(lambda: self._data.writer(self._paths.scored))
        rejected = Outlet(lambda: self._data.writer(self._paths.rejected))
        try:
            try:
                tally = score_stream(self._ranges(drop), scored, rejected, model, self._options, pace)
            except DropRefused as error:
                scored.abort()
                rejected.abort()
                self._same(drop)
                return self._refused(drop, model, error, started, clock)
            self._same(drop)
            found = self._read_summary()
            if found and self._vouches(found, drop):
                raise _Restart  # another worker was quicker; its results need not be written again
            outputs = Outputs(
                Output.of(self._paths.scored, scored.commit()), Output.of(self._paths.rejected, rejected.commit())
            )
        except BaseException:
            scored.abort()
            rejected.abort()
            raise
        if outputs.rejected is None:
            self._remove(self._paths.rejected)
        return self._scored(drop, model, tally, outputs, started, clock)

    def _ranges(self, drop: Input) -> Iterator[bytes]:
        """The input's bytes while it stays the same; a replaced or deleted one restarts."""
        for start in range(0, drop.size, RANGE_BYTES):
            end = min(start + RANGE_BYTES, drop.size)
            try:
                yield self._data.read(drop.key, start, end, etag=drop.etag)
            except (PreconditionFailed, ObjectNotFound):
                raise _Restart from None

    def _scored(
        self, drop: Input, model: ServedModel, tally: Tally, outputs: Outputs, started: datetime, clock: float
    ) -> Summary:
        rows = tally.rows
        failed = rows.input > 0 and rows.rejected / rows.input > self._max_rejected_share
        message = (
            f"{rows.rejected} of {rows.input} rows were rejected, more than a share of {self._max_rejected_share:g} "
            f"(BATCH_MAX_REJECTED_SHARE); the others are in {self._paths.scored}, look at {self._paths.rejected}"
        )
        return Summary(
            status="failed" if failed else "scored",
            reason=reasons.TOO_MANY_REJECTED if failed else None,
            message=message if failed else None,
            input=drop,
            model=_model(model),
            rows=rows,
            rejected_by_reason=dict(sorted(tally.reasons.items())),
            warnings=tally.warnings,
            outputs=outputs,
            predictions=tally.predictions,
            features=tally.features,
            started=started.isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - clock, 3),
        )

    def _refused(self, drop: Input, model: ServedModel, error: DropRefused, started: datetime, clock: float) -> Summary:
        """Removes what an older drop of this key left, so that nothing looks like a result of this one."""
        self._remove(self._paths.scored)
        self._remove(self._paths.rejected)
        return Summary(
            status="refused",
            reason=error.code,
            message=error.message,
            input=drop,
            model=_model(model),
            rows=Rows(0, 0, 0, 0),
            rejected_by_reason={},
            warnings={},
            outputs=Outputs(None, None),
            predictions=None,
            features={},
            started=started.isoformat(timespec="milliseconds"),
            seconds=round(time.monotonic() - clock, 3),
        )

    # vouching and sweeping

    def _vouch(self, drop: Input, summary: Summary) -> None:
        """Writes the summary while input and outputs are the ones it names, and looks again afterwards."""
        self._same(drop)
        if not self._stands(summary.outputs):
            raise _Restart
        body = summaries.encode(summary)
        try:
            self._data.put(self._paths.summary, body, create=True)
        except PreconditionFailed:
            self._replace_summary(drop, body)
        self._same(drop)
        found = self._read_summary()
        if found is None or not self._vouches(found, drop):
            raise _Restart

    def _replace_summary(self, drop: Input, body: bytes) -> None:
        """Over another worker's: of this drop, or of an older one, since the input is looked at after it."""
        try:
            found = self._data.get(self._paths.summary)
            self._same(drop)
            self._data.put(self._paths.summary, body, if_match=found.etag)
        except (ObjectNotFound, PreconditionFailed):
            raise _Restart from None

    def _sweep(self, drop: Input | None) -> list[str]:
        """Deletes every claim of this key: all are of this drop or of older ones, if the input is still this."""
        left = [key for key in self._data.keys(self._paths.claims) if self._paths.is_claim(key)]
        if left:
            self._same(drop)
        for key in left:
            self._data.delete(key)
        return left

    def _gone(self) -> Report:
        """The input is no longer there. What a worker left unfinished of it goes too; finished results stay."""
        if self._sweep(None) and self._read_summary() is None:
            self._remove(self._paths.scored)
            self._remove(self._paths.rejected)
        return Report("gone", "there is no such object any more", None)

    def _remove(self, key: str) -> None:
        """Deletes what is there; a versioned bucket would note down the deletion of nothing."""
        if self._exists(key):
            self._data.delete(key)


def _model(model: ServedModel) -> Model:
    return Model(model.name, model.version, model.engine.name)
