"""The batch loop: bytes of a CSV in, scored bytes and rejected rows out, window by window. It knows no store, no drop.

Input bytes pass through untouched; appended cells are all that is added. Memory does not grow with the file. While
one window is scored the next is fetched and another written; what comes out does not depend on that.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from functions.inference.model import ServedModel
from functions.scoring.columns import Rejection
from functions.scoring.compression import MAGIC, PIECE, Gunzip
from functions.scoring.header import Header, read_header
from functions.scoring.outlet import Outlet
from functions.scoring.overlapping import fetched_ahead, in_order, processors
from functions.scoring.pace import Pace, Refusals
from functions.scoring.quarantine import Quarantine
from functions.scoring.reasons import NOT_PREDICTABLE
from functions.scoring.tally import Tally
from functions.scoring.window_scorer import Scored, WindowScorer
from functions.scoring.windows import BLOCK, Cutter, Framed, Window, blocks

Piece: TypeAlias = bytes | memoryview

__all__ = ["BLOCK", "Options", "score_part", "score_stream"]


@dataclass(frozen=True, slots=True)
class Options:
    """limit: bytes of the longest record. separator: used where the header does not tell it."""

    limit: int
    separator: str | None
    probabilities: bool


def score_stream(
    chunks: Iterable[bytes], scored: Outlet, rejected: Outlet, model: ServedModel, options: Options, pace: Pace
) -> Tally:
    """Scores one file; commits nothing. `chunks` are the file's bytes, gzip or not.

    Raises DropRefused where the file cannot be scored as a whole, and whatever `chunks` and the outlets raise.
    """
    with fetched_ahead(chunks) as fetched:
        pieces = blocks(_pieces(fetched, scored, rejected), 0)
        header, begun = _header(pieces, model, options)
        scored.write(header.bom + header.body + header.appended + header.end)
        loop = _Loop(header, scored, rejected, model, options, pace)
        loop.tally.blank += header.blank
        return loop.run(chain(begun, pieces))


def score_part(
    chunks: Iterable[bytes],
    start: int,
    header: Header,
    scored: Outlet,
    rejected: Outlet,
    model: ServedModel,
    options: Options,
    pace: Pace,
) -> Tally:
    """Scores whole records of a plain file, from its byte `start` on, where one begins; writes no header.

    The lines of rejected rows count from 1 at `start`. Where the part ends with a window of the file, its rows come
    out, byte by byte, as they do when the whole file is scored at once.
    """
    with fetched_ahead(chunks) as fetched:
        loop = _Loop(header, scored, rejected, model, options, pace, line=1)
        return loop.run(blocks(_counted(_sliced(fetched)), start))


def _pieces(chunks: Iterable[bytes], *outlets: Outlet) -> Iterator[tuple[Piece, int]]:
    """Pieces of the text, each with the bytes of the file that are done once it is. Output is packed as input is."""
    source = _sliced(chunks)
    head = b""
    for slice_ in source:
        head += slice_
        if len(head) >= len(MAGIC):
            break
    if not head.startswith(MAGIC):
        yield from _counted(chain([head], source))
        return
    for outlet in outlets:
        outlet.compress()
    gunzip = Gunzip()
    done = 0
    for slice_ in chain([head], source):
        for piece in gunzip.feed(bytes(slice_)):
            yield piece, done
        done += len(slice_)
    gunzip.finish()


def _sliced(chunks: Iterable[bytes]) -> Iterator[Piece]:
    """Slices small enough that what is unpacked from one stays small too, and that it shows how far a file is done."""
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE):
            yield memoryview(chunk)[start : start + PIECE]


def _counted(chunks: Iterable[Piece]) -> Iterator[tuple[Piece, int]]:
    done = 0
    for chunk in chunks:
        done += len(chunk)
        yield chunk, done


def _header(
    pieces: Iterator[tuple[bytes, int]], model: ServedModel, options: Options
) -> tuple[Header, list[tuple[bytes, int]]]:
    """The header, and what was read behind it, in one piece that ends with a window."""
    head, done = b"", 0

    def read(*, final: bool) -> Header | None:
        return read_header(
            head,
            model.signature,
            final=final,
            limit=options.limit,
            separator=options.separator,
            probabilities=options.probabilities,
        )

    for piece, done in pieces:
        head += piece
        if b"\n" in piece or b"\r" in piece or len(head) > options.limit:
            header = read(final=False)
            if header is not None:
                return header, [(head[header.size :], done)]
    header = read(final=True)
    assert header is not None  # noqa: S101 # at the end it is read or refused
    return header, [(head[header.size :], done)]


class _Loop:
    def __init__(
        self,
        header: Header,
        scored: Outlet,
        rejected: Outlet,
        model: ServedModel,
        options: Options,
        pace: Pace,
        line: int | None = None,
    ) -> None:
        self._cutter = Cutter(header.separator, options.limit, header.line if line is None else line)
        self._scorer = WindowScorer(header, model, options.limit, pace, probabilities=options.probabilities)
        self._pace = pace
        self._refusal = ""  # of the first row that the model refused
        self._scored = scored
        self._quarantine = Quarantine(rejected)
        self.tally = Tally(model.signature)

    def run(self, pieces: Iterable[tuple[bytes, int]]) -> Tally:
        first = self._cutter.line
        with in_order(self._windows(pieces), self._score, processors()) as scored_windows:
            for scored, done in scored_windows:
                self._take(scored)
                self._pace.check(done, Refusals(self.tally.reasons[NOT_PREDICTABLE], self._refusal))
        self.tally.lines = self._cutter.line - first
        return self.tally

    def _windows(self, pieces: Iterable[tuple[bytes, int]]) -> Iterator[tuple[Window | Framed, int, int]]:
        """Each with the bytes of the file that are done before it, and once it is."""
        before = done = 0
        for piece, done in pieces:
            yield self._cutter.feed(piece), before, done
            before = done
        yield self._cutter.finish(), before, done

    def _score(self, window: tuple[Window | Framed, int, int]) -> tuple[Scored, int]:
        records, before, done = window
        return self._scorer.score(records, done - before), done

    def _take(self, scored: Scored) -> None:
        for part in scored.parts:
            if part:
                self._scored.write(part)
        for rejection in scored.rejected:
            self._quarantine.take(rejection)
            if not self._refusal and isinstance(rejection, Rejection) and rejection.reason == NOT_PREDICTABLE:
                self._refusal = rejection.message
        self.tally.merge(scored.counts)
