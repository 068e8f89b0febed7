"""The steps of a run that scores one drop in parts: plan, each part, finish, and abort where something fails.

Every step may be taken twice, and by two at once: what it leaves behind has one name and one content. While a run goes
on its plan is there, beside it what the parts keep aside and one multipart upload; at its end, good or bad, none of
them is. The plan goes first, and a part that comes too late finds it gone and takes its own things with it.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from functions.errors import DropRefused, EventError, ObjectNotFound, PreconditionFailed, RunEnded, StoreError
from functions.inference.model import ServedModel
from functions.registry.store import Store
from functions.registry.uploads import Uploads
from functions.scoring import loop, summing_up
from functions.scoring.claim import ClaimedModel
from functions.scoring.drop import DropPaths, PartPaths, digest_of
from functions.scoring.fanout import plan as plans
from functions.scoring.fanout.at_once import at_once
from functions.scoring.fanout.finishing import Joining, all_done
from functions.scoring.fanout.joining import Done, Refused
from functions.scoring.fanout.part import score_one
from functions.scoring.fanout.plan import Plan
from functions.scoring.fanout.probe import probe_cuts, probe_header
from functions.scoring.loop import Options
from functions.scoring.models import Models
from functions.scoring.pace import Pace
from functions.scoring.report import Report
from functions.scoring.results import Moved, Results
from functions.scoring.scorer import Scorer
from functions.scoring.summary import Input
from functions.scoring.tally import Tally

S = TypeVar("S")
T = TypeVar("T")

ROUNDS = 8
PAUSE_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Planned:
    """A drop that is cut into `parts` parts; `digest` names it in the steps that follow."""

    digest: str
    parts: int
    version: str


class FanOut(Scorer):
    """Takes the steps over one data store. part_bytes: about how long a part is to be."""

    def __init__(
        self,
        data: Store,
        uploads: Uploads,
        models: Models,
        options: Options,
        max_rejected_share: float,
        part_bytes: int,
    ) -> None:
        super().__init__(data, models, options, max_rejected_share)
        self._uploads = uploads
        self._part_bytes = part_bytes

    # plan

    def plan(self, key: str) -> Planned | Report:
        """Claims the drop, looks at it, and writes down its parts; or says what became of it instead.

        Raises ModelError, StoreError.
        """
        return self._in_rounds(key, self._plan)

    def _plan(self, results: Results) -> Planned | Report:
        begun = results.begin()
        if isinstance(begun, Report):
            return begun
        drop, model = begun
        found = self._found_plan(results.paths, digest_of(drop))
        if found is None:
            started = datetime.now(UTC)
            try:
                found = self._made_plan(results, drop, model, started)
            except DropRefused as error:
                return results.refuse(drop, model, error, started)
        self._give_up_uploads(results.paths)
        return Planned(found.digest, len(found.parts), model.version)

    def _made_plan(self, results: Results, drop: Input, model: ServedModel, started: datetime) -> Plan:
        def read(start: int, end: int) -> bytes:
            return b"".join(results.ranges(drop, start, end))

        block = loop.BLOCK
        header = probe_header(read, drop.size, model.signature, self._options)
        length = plans.length_of_parts(drop.size, block, self._part_bytes)
        wanted = plans.wanted_cuts(header.size, drop.size, length)
        starts = probe_cuts(read, header, wanted, block, self._options)
        parts = plans.parts_between(header.size, drop.size, starts, length)
        scored = results.paths.scored
        mark = secrets.token_hex(16)
        upload = self._uploads.create(scored, mark)
        claimed = ClaimedModel(model.name, model.version)
        at = started.isoformat(timespec="microseconds")
        plan = Plan(drop, digest_of(drop), claimed, at, upload, mark, header, self._options, parts)
        try:
            self._data.put(results.paths.plan(plan.digest), plans.encode(plan), create=True)
        except PreconditionFailed:
            self._uploads.abort(scored, upload)
            raise Moved from None  # another run was quicker, and its plan holds for both
        return plan

    # part

    def part(
        self, key: str, digest: str, number: int, left: Callable[[], float] | None = None, whole: float | None = None
    ) -> None:
        """Scores one part; `left` and `whole` as in Pace.

        Raises RunEnded where nobody wants it any more, ModelError, StoreError. That it takes longer than a function may
        is no error, since trying again would not help: it is written down, and refuses the drop in the end.
        """
        results = self._results(key)
        plan = self._wanted_plan(results.paths, digest)
        paths = results.paths.part(digest, number)
        if results.exists(paths.done):
            return
        if not 0 <= number < len(plan.parts):
            raise EventError(f"{key} has no part {number}; its parts are 0 to {len(plan.parts) - 1}")
        part = plan.parts[number]
        model = self._models.version(plan.model.version)
        pace = Pace(part.end - part.start, left, whole)
        try:
            done: Done | Refused = score_one(self._data, self._uploads, results, plan, number, model, pace)
        except DropRefused as error:
            done = Refused(error.code, error.message)
        except Exception:
            self._too_late(results, digest, paths)
            raise
        self._data.put(paths.done, msgspec.msgpack.encode(done))
        if self._too_late(results, digest, paths):
            raise RunEnded(f"the run for {plan.input.key} was finished or given up meanwhile")

    def _too_late(self, results: Results, digest: str, paths: PartPaths) -> bool:
        """Whether the run has ended before this part; what the part has kept aside then goes with it."""
        if results.exists(results.paths.plan(digest)):
            return False
        for left in (paths.done, paths.opening, paths.rejected):
            results.remove(left)
        return True

    # finish

    def finish(self, key: str, digest: str) -> Report:
        """Joins the parts, writes the summary, and removes what they kept aside. Raises RunEnded, StoreError."""
        return self._in_rounds(key, lambda results: self._finish(results, digest))

    def _finish(self, results: Results, digest: str) -> Report:
        before = self._done_before(results, digest)
        if before is not None:
            return before
        drop = results.look()
        plan = self._wanted_plan(results.paths, digest)
        if drop != plan.input:
            raise RunEnded(f"{plan.input.key} was replaced or deleted while it was scored")
        model = self._models.version(plan.model.version)
        started = datetime.fromisoformat(plan.started)
        try:
            done = all_done(self._data, results.paths, plan)
        except DropRefused as error:
            report = results.refuse(drop, model, error, started)
            self._clear(results.paths, digest)
            return report
        tally = Tally.merged(model.signature, [one.counts for one in done])
        tally.blank += plan.header.blank

        joining = Joining(self._data, self._uploads, results, plan, done)
        outputs = results.commit(drop, joining.outputs)
        share = self._max_rejected_share
        summary = summing_up.scored(drop, model, tally, outputs, max_rejected_share=share, started=started)
        report = results.finish(drop, summary)
        self._clear(results.paths, digest)
        return report

    def _done_before(self, results: Results, digest: str) -> Report | None:
        """What a finished drop came to, once what its run had left is gone; None where nothing vouches for it yet."""
        drop, found = results.look(), results.summary()
        if drop is None or digest_of(drop) != digest or found is None or not results.vouches(found, drop):
            return None
        self._clear(results.paths, digest)
        results.sweep(drop)
        return Report(found.status, found.reason, found.rows, found.model.version, drop.size, before=True)

    # abort

    def abort(self, key: str, digest: str | None) -> Report | None:
        """Removes all that a run has left; what became of the drop, if it was finished after all.

        Else nothing vouches for it, and whoever starts the run again takes it up with the same version of the model.
        digest: None where the plan failed. Raises StoreError.
        """
        return self._in_rounds(key, lambda results: self._abort(results, digest))

    def _abort(self, results: Results, digest: str | None) -> Report | None:
        drop = results.look()
        if digest is None and drop is not None:
            digest = digest_of(drop)
        if digest is None:
            return None
        report = self._done_before(results, digest)
        self._clear(results.paths, digest)
        return report

    def _clear(self, paths: DropPaths, digest: str) -> None:
        """The plan first: a part that is still under way looks for it at its end."""
        if self._found_plan(paths, digest) is not None:
            self._data.delete(paths.plan(digest))
        self._give_up_uploads(paths)
        at_once(self._data.delete, paths.kept_aside(digest, self._data.keys(paths.claims)))

    def _give_up_uploads(self, paths: DropPaths) -> None:
        """Aborts every upload of this key that no plan names: whoever began it died before it wrote that down.

        A worker that is writing to this key at the moment fails by this, and its event comes again.
        """
        pending = self._uploads.pending(paths.scored)
        if pending:
            named = set()
            for key in paths.plans(self._data.keys(paths.claims)):
                with suppress(ObjectNotFound):
                    named.add(plans.decode(self._data.get(key).body).upload)
            for upload in pending:
                if upload not in named:
                    self._uploads.abort(paths.scored, upload)

    # all of them

    def _results(self, key: str) -> Results:
        return Results(self._data, self._models, DropPaths(key))

    def _in_rounds(self, key: str, step: Callable[[Results], T]) -> T:
        results = self._results(key)
        for number in range(ROUNDS):
            try:
                return step(results)
            except Moved:
                time.sleep(PAUSE_SECONDS * number)
        raise StoreError(f"{key} or its results kept changing; take the step again")

    def _found_plan(self, paths: DropPaths, digest: str) -> Plan | None:
        try:
            return plans.decode(self._data.get(paths.plan(digest)).body)
        except ObjectNotFound:
            return None

    def _wanted_plan(self, paths: DropPaths, digest: str) -> Plan:
        found = self._found_plan(paths, digest)
        if found is None:
            raise RunEnded(f"there is no plan for {paths.incoming} any more: its run was finished or given up")
        return found
