"""Where a CSV can be cut so that both sides are framed as the whole is: told from the bytes around. Pure; no I/O.

A record starts after a line end, unless that stands inside quotes, and whether it does depends on what came before.
But not on all of it: no record holds more than the limit, so among the line starts of any stretch longer than that at
least one is a record's start. What is framed from each of them in turn soon runs together, nearly always at the next
line end. Where all have met before the cut, there is one answer, whatever came before. Else there is none, and the
file is not cut there.
"""

from collections.abc import Iterator

from functions.scoring import reasons
from functions.scoring.framing import Framer

LINE_END = 2  # bytes at most
FIRST_LOOK = 64 * 1024  # bytes that a record rarely exceeds
SLACK = 64 * 1024  # bytes in which framings that do not agree at once may still meet


def bytes_before(limit: int) -> int:
    """How much of the file before a cut is looked at, for records of at most `limit` bytes."""
    return 2 * (limit + LINE_END) + SLACK


def record_start(before: bytes, *, separator: bytes, limit: int, known: bool) -> int | None:
    """The last line start at or before a cut, where it is certainly a record's; else None.

    before: what stands before the cut, `bytes_before(limit)`, from whose beginning positions count. known: a record
    starts at that beginning, and there may be fewer.

    Whatever stands before the start is decided by what stands before it, as it is in the whole file: so the loop asks
    the model about the same rows at once.
    """
    start = before.rfind(b"\n") + 1
    if len(before) - start > limit:
        return None
    if b'"' not in before:
        return (
            start  # what began before these bytes, inside quotes or too long, has ended at this line end at the latest
        )
    whole = before[:start]
    candidates = [0] if known else _candidates(whole, limit)
    if not candidates:
        return None
    framed = _Framed(whole, separator, limit)
    met = set(framed.chain(candidates[0]))
    certain = start in met and all(one in met or _meets(framed.chain(one), met) for one in candidates)
    return start if certain else None


def _candidates(data: bytes, limit: int) -> list[int]:
    """Line starts of which at least one is a record's, whatever came before; empty where there are too few bytes."""
    first = data.find(b"\n") + 1
    latest = data.find(b"\n", first + limit + LINE_END - 1) + 1
    if first == 0 or latest == 0:
        return []
    found = [first]
    while found[-1] < latest:
        found.append(data.find(b"\n", found[-1]) + 1)
    return found


def _meets(chain: Iterator[int], met: set[int]) -> bool:
    """Whether a framing runs into another; what it went through then leads there too."""
    passed: list[int] = []
    for start in chain:
        if start in met:
            met.update(passed)
            return True
        passed.append(start)
    return False


class _Framed:
    """Some bytes of a file that goes on, framed from any of their line starts."""

    def __init__(self, data: bytes, separator: bytes, limit: int) -> None:
        self._data = data
        self._separator = separator
        self._limit = limit

    def chain(self, start: int) -> Iterator[int]:
        """Where records start from `start` on, as far as the bytes decide it."""
        quote = self._data.find(b'"', start)
        following: int | None = start
        while following is not None:
            yield following
            start = following
            if 0 <= quote < start:
                quote = self._data.find(b'"', start)
            line_end = self._data.find(b"\n", start)
            plain = line_end >= 0 and (quote < 0 or line_end < quote)
            # A line without quotes is a record, or what is left of one too long.
            following = line_end + 1 if plain else self._after(start)

    def _after(self, start: int) -> int | None:
        """Where the record after the one at `start` starts; None while that is undecided."""
        for size in (FIRST_LOOK, self._limit + LINE_END + 1):
            found = Framer(self._separator, self._limit).first(self._data[start : start + size], final=False)
            if found is not None:
                record, following = found
                if record.whole:
                    return start + following
                passed = 0 if record.fault == reasons.UNCLOSED_QUOTE else self._limit
                return self._data.find(b"\n", start + passed) + 1 or None
        return None
