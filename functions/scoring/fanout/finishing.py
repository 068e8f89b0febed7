"""The end of a run in parts: its pieces become one object, its rejected rows another."""

from collections.abc import Iterator, Sequence

import msgspec

from functions.errors import DropRefused, ObjectNotFound, PreconditionFailed, RunEnded, StoreError
from functions.registry.store import Store
from functions.registry.uploads import Numbered, Uploads
from functions.scoring.drop import DropPaths
from functions.scoring.fanout.at_once import at_once
from functions.scoring.fanout.joining import AsItIs, Done, Refused, Section, renumbered, sections
from functions.scoring.fanout.plan import Plan
from functions.scoring.outlet import Outlet
from functions.scoring.results import RANGE_BYTES, Moved, Results
from functions.scoring.summary import Output, Outputs


def all_done(data: Store, paths: DropPaths, plan: Plan) -> list[Done]:
    """What every part came to. Raises DropRefused for the first that cannot be scored, StoreError for one missing."""

    def done(number: int) -> Done:
        try:
            body = data.get(paths.part(plan.digest, number).done).body
        except ObjectNotFound:
            raise StoreError(f"part {number} of {plan.input.key} was not scored; do that first") from None
        found = msgspec.msgpack.decode(body, type=Done | Refused)
        if isinstance(found, Refused):
            part = plan.parts[number]
            raise DropRefused(found.code, f"part {number}, bytes {part.start} to {part.end}: {found.message}")
        return found

    return at_once(done, range(len(plan.parts)))


class Joining:
    """Makes the outputs visible, out of what the parts have left. It may be done again, and gives the same."""

    def __init__(self, data: Store, uploads: Uploads, results: Results, plan: Plan, done: Sequence[Done]) -> None:
        self._data = data
        self._uploads = uploads
        self._results = results
        self._paths = results.paths
        self._plan = plan
        self._done = done

    def outputs(self) -> Outputs:
        """Raises RunEnded where the upload was given up, Moved where a late part came in between, StoreError."""
        return Outputs(self._scored(), self._rejected())

    def _scored(self) -> Output:
        """Completes the upload, once what was too little for a piece has joined a neighbour."""
        scored, kept = self._paths.scored, self._paths.pieces(self._plan.digest)
        pieces = self._sent_before(kept)
        try:
            if not pieces:
                pieces = at_once(self._sent, self._sections())
                self._data.put(kept, msgspec.json.encode(pieces))
            self._uploads.complete(scored, self._plan.upload, pieces)
        except ObjectNotFound:
            pass  # by an attempt before this one it was completed, or it was given up: the object tells which
        except PreconditionFailed:
            self._results.remove(kept)
            raise Moved from None  # a late part has sent its first piece again, without what was joined to it
        try:
            stat = self._uploads.made(scored, self._plan.mark)
        except ObjectNotFound:
            raise RunEnded(f"the upload of {scored} was given up meanwhile") from None
        if stat is None:
            raise RunEnded(f"the upload of {scored} was given up, or its result replaced, meanwhile")
        return Output(scored, stat.etag, stat.size)

    def _sent_before(self, kept: str) -> list[Numbered]:
        try:
            return msgspec.json.decode(self._data.get(kept).body, type=list[Numbered])
        except ObjectNotFound:
            return []

    def _sections(self) -> list[Section]:
        numbers = [self._plan.numbers(number) for number in range(len(self._plan.parts))]
        return list(sections(self._done, numbers, self._uploads.least))

    def _sent(self, section: Section) -> Numbered:
        if isinstance(section, AsItIs):
            return section.piece
        openings = [self._paths.part(self._plan.digest, one).opening for one in section.parts]
        body = b"".join([self._data.get(key).body for key in openings])
        return self._uploads.put(self._paths.scored, self._plan.upload, section.number, body)

    def _rejected(self) -> Output | None:
        """Joins the rejected rows, each with the number of its line in the whole file."""
        rejected = self._paths.rejected
        outlet = Outlet(lambda: self._data.writer(rejected))
        lines, first = self._plan.header.line - 1, True
        try:
            for number, one in enumerate(self._done):
                if one.rejected:
                    aside = self._paths.part(self._plan.digest, number).rejected
                    for chunk in renumbered(self._read(aside), lines, first=first):
                        outlet.write(chunk)
                    first = False
                lines += one.counts.lines
            return Output.of(rejected, outlet.commit())
        except BaseException:
            outlet.abort()
            raise

    def _read(self, key: str) -> Iterator[bytes]:
        stat = self._data.stat(key)
        for start in range(0, stat.size, RANGE_BYTES):
            yield self._data.read(key, start, min(start + RANGE_BYTES, stat.size), etag=stat.etag)
