"""The batch loop: bytes of a CSV in, scored bytes and rejected rows out, block by block. It knows no store and no drop.

Input bytes pass through untouched; appended cells are all that is added. Memory does not grow with the file.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from functions.inference.model import ServedModel
from functions.scoring.appended import Appender
from functions.scoring.columns import Block, BlockReader, Rejection
from functions.scoring.compression import MAGIC, PIECE, Gunzip
from functions.scoring.framing import Framer, Record, Rest
from functions.scoring.header import Header, read_header
from functions.scoring.outlet import Outlet
from functions.scoring.pace import Pace
from functions.scoring.predicting import Answers, predict_block
from functions.scoring.quarantine import Quarantine
from functions.scoring.tally import Tally


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
    loop = _Loop(scored, rejected, model, options)
    for piece, done in _pieces(chunks, scored, rejected):
        loop.feed(piece)
        pace.check(done)
    return loop.finish()


def _pieces(chunks: Iterable[bytes], *outlets: Outlet) -> Iterator[tuple[bytes, int]]:
    """Pieces of the text, each with the bytes of the file that are done once it is. Output is packed as input is."""
    source = _sliced(chunks)
    head = b""
    for slice_ in source:
        head += slice_
        if len(head) >= len(MAGIC):
            break
    if not head.startswith(MAGIC):
        done = len(head)
        yield head, done
        for slice_ in source:
            done += len(slice_)
            yield slice_, done
        return
    for outlet in outlets:
        outlet.compress()
    gunzip = Gunzip()
    done = 0
    for slice_ in chain([head], source):
        for piece in gunzip.feed(slice_):
            yield piece, done
        done += len(slice_)
    gunzip.finish()


def _sliced(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Blocks small enough that what is made of one, cell by cell, stays small too."""
    for chunk in chunks:
        for start in range(0, len(chunk), PIECE):
            yield chunk[start : start + PIECE]


class _Loop:
    def __init__(self, scored: Outlet, rejected: Outlet, model: ServedModel, options: Options) -> None:
        self._scored = scored
        self._quarantine = Quarantine(rejected)
        self._model = model
        self._options = options
        self._tally = Tally(model.signature)
        self._head = b""
        self._framer: Framer | None = None
        self._reader: BlockReader
        self._appender: Appender

    def feed(self, data: bytes) -> None:
        if self._framer is not None:
            self._take(self._framer.feed(data))
            return
        self._head += data
        if b"\n" in data or b"\r" in data or len(self._head) > self._options.limit:
            self._begin(final=False)

    def finish(self) -> Tally:
        if self._framer is None:
            self._begin(final=True)
        if self._framer is not None:
            self._take(self._framer.finish())
        return self._tally

    def _begin(self, *, final: bool) -> None:
        """Reads the header, once there is enough of it."""
        options = self._options
        header = read_header(
            self._head,
            self._model.signature,
            final=final,
            limit=options.limit,
            separator=options.separator,
            probabilities=options.probabilities,
        )
        if header is None:
            return
        self._write_header(header)
        self._framer = Framer(header.separator, options.limit, header.line)
        self._reader = BlockReader(header, self._model.signature, options.limit)
        self._appender = Appender(self._model.signature, header.separator, probabilities=options.probabilities)
        self._tally.blank += header.blank
        rest, self._head = self._head[header.size :], b""
        self._take(self._framer.feed(rest))

    def _write_header(self, header: Header) -> None:
        self._scored.write(header.bom + header.body + header.appended + header.end)

    def _take(self, framed: list[Record | Rest]) -> None:
        """Handles one block's records; they are all records, but for what follows a record too long to hold."""
        start = 0
        for position, item in enumerate(framed):
            if isinstance(item, Rest):
                self._score([record for record in framed[start:position] if isinstance(record, Record)])
                self._quarantine.more(item.body, last=item.last)
                start = position + 1
        self._score([record for record in framed[start:] if isinstance(record, Record)])

    def _score(self, records: list[Record]) -> None:
        if not records:
            return
        block = self._reader.read(records)
        answers = predict_block(
            self._model.engine, block.columns, len(block.rows), probabilities=self._options.probabilities
        )
        self._tally.blank += block.blank
        self._tally.invalid_utf8 += block.invalid_utf8
        self._reject(block, answers)
        if not answers.kept:
            return
        rows, columns = block.rows, block.columns
        if answers.failed:
            rows = [rows[index] for index in answers.kept]
            columns = [column[answers.kept] for column in columns]
        self._tally.add(columns, answers.classes, answers.values, len(rows))
        appended = self._appender.cells(answers.classes, answers.probabilities, answers.values)
        pairs = zip(rows, appended, strict=True)
        self._scored.write(b"".join([part for row, cells in pairs for part in (row.body, cells, row.end)]))

    def _reject(self, block: Block, answers: Answers) -> None:
        """Puts aside, in the input's order, what could not be read and what the model could not answer."""
        rejections = block.rejections
        if answers.failed:
            failed = [Rejection(block.rows[index], *why) for index, why in answers.failed.items()]
            rejections = sorted(rejections + failed, key=lambda one: one.record.line)
        for rejection in rejections:
            self._tally.reasons[rejection.reason] += 1
            self._quarantine.add(rejection)
