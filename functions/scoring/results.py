"""The drop protocol: one drop is scored once, by one model version, and its summary vouches for the result.

Whoever scores goes through rounds. In each it looks at the input anew, so that a file replaced in the middle, another
worker on the same drop or a crashed one before it only cost a round. The steps of a round, each safe to be the last:

1. look: is the input there, and does its summary vouch for it already?
2. claim: create `scored/<path>.<drop>.claim.json` with the model version; who finds one uses that one's version
3. withdraw: delete the summary of an older drop; from here on nothing vouches for the old results
4. score: stream the input by ranges with `If-Match`; outputs are not visible
5. commit: both outputs, or for a refused drop neither
6. vouch: write the summary, while the input and the outputs are still the ones it names
7. sweep: delete the claims, when all that was looked at again and stands

A worker that stalls for minutes between reading and writing can at worst overwrite newer results or withdraw a newer
summary; its own next look finds the disagreement and the drop is scored again. Step 4 is somebody else's.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from functions.errors import DropRefused, ModelError, ModelRefused, ObjectNotFound, PreconditionFailed
from functions.inference.model import ServedModel
from functions.registry.store import Store
from functions.scoring import claim as claims
from functions.scoring import summary as summaries
from functions.scoring import summing_up
from functions.scoring.claim import Claim, ClaimedModel
from functions.scoring.drop import DropPaths
from functions.scoring.models import Models
from functions.scoring.report import Report
from functions.scoring.summary import Input, Output, Outputs, Summary

RANGE_BYTES = 4 * 1024 * 1024  # of one read


class Moved(Exception):
    """Something changed meanwhile; look again."""


class Results:
    """What may be done to the results of one key, and when. Any call may raise Moved and StoreError."""

    def __init__(self, data: Store, models: Models, paths: DropPaths) -> None:
        self._data = data
        self._models = models
        self.paths = paths
        self._bound: dict[Input, str] = {}  # what this call has seen claimed: a claim may be gone when it looks again

    def begin(self) -> tuple[Input, ServedModel] | Report:
        """Steps 1 to 3: the drop and the model it is bound to, or what became of it before.

        Raises ModelError where the model cannot be loaded.
        """
        drop = self.look()
        if drop is None:
            return self.gone()
        found = self.summary()
        if found and self.vouches(found, drop):
            self.sweep(drop)
            return Report("already_done", f"this drop was {found.status} before", found.rows, found.model.version)
        if found and found.input == drop:
            self._bound[drop] = found.model.version
        model = self.claim(drop)
        self._bound[drop] = model.version
        self.withdraw(drop)
        if not self.exists(self.paths.claim(drop)):
            raise Moved  # another worker finished it meanwhile
        return drop, model

    def ranges(self, drop: Input, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The input's bytes [start, end) while it stays the same; a replaced or deleted one has moved."""
        end = drop.size if end is None else end
        for begin in range(start, end, RANGE_BYTES):
            try:
                yield self._data.read(drop.key, begin, min(begin + RANGE_BYTES, end), etag=drop.etag)
            except (PreconditionFailed, ObjectNotFound):
                raise Moved from None

    def commit(self, drop: Input, make: Callable[[], Outputs]) -> Outputs:
        """Step 5, if it is still wanted. `make` makes the outputs visible, and says which there are."""
        self.same(drop)
        found = self.summary()
        if found and self.vouches(found, drop):
            raise Moved  # another worker was quicker; its results need not be written again
        outputs = make()
        if outputs.rejected is None:
            self.remove(self.paths.rejected)
        return outputs

    def finish(self, drop: Input, summary: Summary) -> Report:
        """Steps 6 and 7."""
        self._vouch(drop, summary)
        self.sweep(drop)
        return Report.of(summary)

    def refuse(self, drop: Input, model: ServedModel, error: DropRefused, started: datetime) -> Report:
        """Steps 5 to 7 of a drop that cannot be scored: nothing an older one left looks like a result of this one."""
        self.same(drop)
        self.remove(self.paths.scored)
        self.remove(self.paths.rejected)
        return self.finish(drop, summing_up.refused(drop, model, error, started))

    # looking

    def look(self) -> Input | None:
        try:
            return Input.of(self.paths.incoming, self._data.stat(self.paths.incoming))
        except ObjectNotFound:
            return None

    def same(self, drop: Input | None) -> None:
        if self.look() != drop:
            raise Moved

    def exists(self, key: str) -> bool:
        try:
            self._data.stat(key)
        except ObjectNotFound:
            return False
        return True

    def summary(self) -> summaries.Vouched | None:
        try:
            return summaries.decode(self._data.get(self.paths.summary).body)
        except ObjectNotFound:
            return None

    def vouches(self, found: summaries.Vouched, drop: Input) -> bool:
        return found.input == drop and self._stands(found.outputs)

    def _stands(self, outputs: Outputs) -> bool:
        """Whether the objects named are there as named, and no others."""
        return self._is(self.paths.scored, outputs.scored) and self._is(self.paths.rejected, outputs.rejected)

    def _is(self, key: str, output: Output | None) -> bool:
        try:
            stat = self._data.stat(key)
        except ObjectNotFound:
            return output is None
        return output is not None and output.etag == stat.etag

    # claiming and withdrawing

    def claim(self, drop: Input) -> ServedModel:
        """The model this drop is bound to, loaded. Raises ModelError, StoreError."""
        key = self.paths.claim(drop)
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
                    raise Moved from None
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

    def withdraw(self, drop: Input) -> None:
        """Deletes the summary, unless it is this drop's and right: then another worker finished meanwhile."""
        try:
            body = self._data.get(self.paths.summary).body
        except ObjectNotFound:
            return
        found = summaries.decode(body)
        if found and self.vouches(found, drop):
            raise Moved
        self.same(drop)
        self._data.delete(self.paths.summary)

    # vouching and sweeping

    def _vouch(self, drop: Input, summary: Summary) -> None:
        """Writes the summary while input and outputs are the ones it names, and looks again afterwards."""
        self.same(drop)
        if not self._stands(summary.outputs):
            raise Moved
        body = summaries.encode(summary)
        try:
            self._data.put(self.paths.summary, body, create=True)
        except PreconditionFailed:
            self._replace_summary(drop, body)
        self.same(drop)
        found = self.summary()
        if found is None or not self.vouches(found, drop):
            raise Moved

    def _replace_summary(self, drop: Input, body: bytes) -> None:
        """Over another worker's: of this drop, or of an older one, since the input is looked at after it."""
        try:
            found = self._data.get(self.paths.summary)
            self.same(drop)
            self._data.put(self.paths.summary, body, if_match=found.etag)
        except (ObjectNotFound, PreconditionFailed):
            raise Moved from None

    def sweep(self, drop: Input | None) -> list[str]:
        """Deletes every claim of this key: all are of this drop or of older ones, if the input is still this."""
        left = [key for key in self._data.keys(self.paths.claims) if self.paths.is_claim(key)]
        if left:
            self.same(drop)
        for key in left:
            self._data.delete(key)
        return left

    def gone(self) -> Report:
        """The input is no longer there. What a worker left unfinished of it goes too; finished results stay."""
        if self.sweep(None) and self.summary() is None:
            self.remove(self.paths.scored)
            self.remove(self.paths.rejected)
        return Report("gone", "there is no such object any more", None)

    def remove(self, key: str) -> None:
        """Deletes what is there; a versioned bucket would note down the deletion of nothing."""
        if self.exists(key):
            self._data.delete(key)
