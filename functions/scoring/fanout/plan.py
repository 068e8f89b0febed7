"""Into which parts a drop is cut, and which numbers of the upload each of them has. Pure; no I/O.

Parts end at multiples of the loop's block, give or take the record that runs over: so each predicts the very blocks
that one function would, and the answers are the same to the last digit.
Source of the limits: Amazon S3 User Guide, "Amazon S3 multipart upload limits".
"""

from collections.abc import Sequence
from math import ceil

import msgspec

from functions.errors import DropRefused
from functions.scoring import reasons
from functions.scoring.claim import ClaimedModel
from functions.scoring.header import Header
from functions.scoring.loop import Options
from functions.scoring.summary import Input

MIB = 1024 * 1024
MOST_NUMBERS = 10_000  # of one upload
MOST_PARTS = 1_000  # so that each has at least ten numbers
LEAST_PIECE = 8 * MIB  # S3 takes no less than 5, but for the last
MOST_PIECE = 5 * 1024 * MIB
LONGEST = 4  # times the length that was asked for: so many cuts side by side may fall away


class Part(msgspec.Struct, frozen=True):
    """Bytes [start, end) of the file: whole records."""

    start: int
    end: int


class Plan(msgspec.Struct, frozen=True):
    """All that the steps after it need to know, the same for every part and every attempt.

    digest: names the drop. started: UTC, ISO 8601. upload: the multipart upload that the parts go into; its object will
    carry the mark, by which it is known.
    """

    input: Input
    digest: str
    model: ClaimedModel
    started: str
    upload: str
    mark: str
    header: Header
    options: Options
    parts: list[Part]

    @property
    def numbers_each(self) -> int:
        return MOST_NUMBERS // len(self.parts)

    def numbers(self, part: int) -> range:
        """The numbers of the upload that a part's output may take, in order."""
        return range(1 + part * self.numbers_each, 1 + (part + 1) * self.numbers_each)

    @property
    def piece(self) -> int:
        """Bytes of output under one number: with all of them a part may become twice as long as it was."""
        longest = max(part.end - part.start for part in self.parts)
        return max(LEAST_PIECE, ceil(2 * longest / self.numbers_each))


def encode(plan: Plan) -> bytes:
    return msgspec.json.encode(plan)


def decode(body: bytes) -> Plan:
    return msgspec.json.decode(body, type=Plan)


def length_of_parts(size: int, block: int, wanted: int) -> int:
    """Bytes from one cut to the next: whole blocks, at least `wanted`, and no more cuts than there may be."""
    return block * max(1, ceil(max(wanted, size / MOST_PARTS) / block))


def wanted_cuts(header: int, size: int, length: int) -> range:
    """Where a file of `size` bytes, its rows starting at `header`, is to be cut into parts of this length."""
    return range(length * (header // length + 1), size, length)


def parts_between(header: int, size: int, starts: Sequence[int | None], length: int) -> list[Part]:
    """The parts, given what was found at each cut: where a record starts, or None where that cannot be told.

    Together they are [header, size), in order. Raises DropRefused where too many cuts side by side fell away.
    """
    cuts = sorted({start for start in starts if start is not None and header < start < size})
    parts = [Part(start, end) for start, end in zip([header, *cuts], [*cuts, size], strict=True)]
    longest = max(parts, key=lambda part: part.end - part.start)
    if longest.end - longest.start > LONGEST * length:
        raise DropRefused(
            reasons.NO_SAFE_CUT,
            f"from byte {longest.start} to byte {longest.end} it cannot be told where records start, as the quotes "
            "there can be read in two ways or lines are longer than BATCH_MAX_RECORD_BYTES; split the file and drop "
            "the pieces",
        )
    return parts
