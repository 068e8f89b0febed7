"""Reads as little of a huge file as tells how to cut it: its header, and the bytes around each cut."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from functions.errors import DropRefused
from functions.scoring import reasons
from functions.scoring.compression import MAGIC
from functions.scoring.fanout import cutting
from functions.scoring.header import Header, read_header
from functions.scoring.loop import Options
from functions.signature import Signature

READERS = 16
FIRST_LOOK = 64 * 1024
TRIES = 3  # blocks at whose beginning a cut is looked for, one before the other

Read = Callable[[int, int], bytes]
"""Bytes [start, end) of the file."""


def probe_header(read: Read, size: int, signature: Signature, options: Options) -> Header:
    """Raises DropRefused for a file that is gzip, or whose header `read_header` refuses."""
    wanted = FIRST_LOOK
    while True:
        data = read(0, min(wanted, size))
        if data.startswith(MAGIC):
            raise DropRefused(
                reasons.GZIP_NOT_CUT,
                f"{size} bytes of gzip are too large for one function, and gzip cannot be cut; drop the file unpacked, "
                "or in several files, or score it with: python -m functions.score",
            )
        header = read_header(
            data,
            signature,
            final=len(data) >= size,
            limit=options.limit,
            separator=options.separator,
            probabilities=options.probabilities,
        )
        if header is not None:
            return header
        wanted *= 4


def probe_cuts(read: Read, header: Header, cuts: Sequence[int], block: int, options: Options) -> list[int | None]:
    """For each wanted cut the start of a record at it, or at the beginning of a block before it; None where none is
    certain."""

    def at(cut: int) -> int | None:
        for number in range(TRIES):
            place = cut - number * block
            if place <= header.size:
                return None
            found = _record_start(read, header, place, options.limit)
            if found is not None:
                return found
        return None

    with ThreadPoolExecutor(READERS, thread_name_prefix="probe") as pool:
        return list(pool.map(at, cuts))


def _record_start(read: Read, header: Header, cut: int, limit: int) -> int | None:
    begin = max(header.size, cut - cutting.bytes_before(limit))
    found = cutting.record_start(read(begin, cut), separator=header.separator, limit=limit, known=begin == header.size)
    return None if found is None else begin + found
