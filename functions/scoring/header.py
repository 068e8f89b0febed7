"""Reads the header of a drop: separator, where the features stand, what the appended columns are called.

It refuses what cannot be scored as a whole, and reads no rows.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from functions.errors import DropRefused
from functions.inference.cells import column_name
from functions.scoring import reasons
from functions.scoring.appended import cell_of, label_text
from functions.scoring.framing import Framer, Record
from functions.signature import Signature

BOM = b"\xef\xbb\xbf"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
NO_BLANK_LINE = re.compile(rb"[^\r\n]|\r(?!\n)")  # looked for, since a match of many lines keeps 60 bytes of each
SEPARATORS = (b",", b";", b"\t")
PREFIX = "prediction_"
MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Header:
    """What every row is read by.

    separator: one byte. width: cells in a row. positions: for each feature, in the signature's order, its cell.
    bom, body, end: the header's own bytes. appended: the bytes of the new columns' names, each led by a separator.
    line: the physical line after the header. blank: lines dropped before it. size: bytes read, all of these included.
    """

    separator: bytes
    width: int
    positions: tuple[int, ...]
    bom: bytes
    body: bytes
    end: bytes
    appended: bytes
    line: int
    blank: int
    size: int


def read_header(
    data: bytes, signature: Signature, *, final: bool, limit: int, separator: str | None, probabilities: bool
) -> Header | None:
    """The header at the start of `data`, or None where more bytes are needed; `final`: there are no more.

    `separator` is used where the header holds every feature under none of comma, semicolon and tab, or under
    several. Raises DropRefused.
    """
    if len(data) < len(BOM) and not final:
        return None
    if data.startswith(UTF16_MARKS):
        raise DropRefused(reasons.UTF16, "the file is UTF-16; save it as UTF-8")
    start, blank = _past_blank_lines(data, limit)
    if start == len(data):
        if final:
            raise DropRefused(reasons.EMPTY_FILE, "the file is empty; it needs a header and rows")
        return None
    candidates = [separator.encode()] if separator else []
    candidates += [one for one in SEPARATORS if one not in candidates]
    read: list[tuple[bytes, Record, list[str]]] = []
    for candidate in candidates:
        found = Framer(candidate, limit).first(data[start:], final=final)
        if found is None:
            return None
        record = found[0]
        read.append((candidate, record, _names(record, candidate)))
    if any(b"\0" in record.body for _, record, _ in read):
        raise DropRefused(
            reasons.NUL_IN_HEADER, "there are NUL bytes in the header; the file is UTF-16 or binary: save it as UTF-8"
        )
    chosen = _choose(read, signature)
    record, names = chosen[1], chosen[2]
    return Header(
        separator=chosen[0],
        width=len(names),
        positions=tuple(names.index(name) for name in signature.names),
        bom=BOM if data.startswith(BOM) else b"",
        body=record.body,
        end=record.end,
        appended=b"".join(
            chosen[0] + cell_of(name, chosen[0]) for name in appended_names(names, signature, probabilities)
        ),
        line=1 + blank + (record.body + record.end).count(b"\n"),
        blank=blank,
        size=start + len(record.body) + len(record.end),
    )


def appended_names(taken: Sequence[str], signature: Signature, probabilities: bool) -> list[str]:
    """`prediction`, then `probability_<class>` where asked for; each with `prediction_` before it until it is free."""
    wanted = ["prediction"]
    if probabilities and signature.task == "classification":
        wanted += [f"probability_{label_text(label)}" for label in signature.classes]
    used = set(taken)
    names: list[str] = []
    for wish in wanted:
        name = wish
        while name in used:
            name = PREFIX + name
        used.add(name)
        names.append(name)
    return names


def _past_blank_lines(data: bytes, limit: int) -> tuple[int, int]:
    """Where the first record starts, after a byte order mark, and how many blank lines stand before it.

    Whatever stands before the header is kept until that is found: of blank lines too no more than `limit` bytes.
    """
    begin = len(BOM) if data.startswith(BOM) else 0
    stop = min(len(data), begin + limit + 2)
    found = NO_BLANK_LINE.search(data, begin, stop)
    start = found.start() if found else stop
    if start - begin > limit:
        raise DropRefused(
            reasons.UNREADABLE_HEADER,
            f"the file begins with over {limit} bytes of blank lines; remove them, so that it begins with its header",
        )
    return start, data.count(b"\n", begin, start)


def _names(record: Record, separator: bytes) -> list[str]:
    """Column names as they are compared; bytes that are no UTF-8 stay distinct and equal to no feature's name."""
    cells = record.cells if record.cells is not None else record.body.split(separator)
    return [column_name(cell.decode("utf-8", "surrogateescape")) for cell in cells]


def _choose(read: list[tuple[bytes, Record, list[str]]], signature: Signature) -> tuple[bytes, Record, list[str]]:
    wanted = set(signature.names)
    for one in read:
        _, record, names = one
        if record.fault is None and wanted <= set(names):
            repeated = [name for name in signature.names if names.count(name) > 1]
            if repeated:
                raise DropRefused(
                    reasons.REPEATED_COLUMNS,
                    f"the header has {_told(repeated)} more than once; keep one column of each feature",
                )
            return one
    faults = [record.fault for _, record, _ in read if record.fault]
    body = read[0][1].body
    if reasons.BARE_CR in faults or (faults and b"\r" in body and b"\n" not in body):
        raise DropRefused(
            reasons.CR_LINE_ENDS, "lines end with CR alone, as on old Macs; save the file with LF or CRLF line ends"
        )
    _, nearest, names = max(read, key=lambda one: (len(wanted & set(one[2])), len(one[2])))
    if nearest.fault:
        raise DropRefused(
            reasons.UNREADABLE_HEADER,
            f"the header is no CSV record ({nearest.fault}); look at its quotes and its length",
        )
    missing = [name for name in signature.names if name not in names]
    raise DropRefused(
        reasons.MISSING_COLUMNS,
        f"the header lacks {_told(missing)}; it has {_told(names)}. Names must match exactly; where the separator "
        "is none of comma, semicolon and tab, set BATCH_SEPARATOR",
    )


def _told(names: Sequence[str]) -> str:
    shown = [repr(name.encode("utf-8", "replace").decode()[:80]) for name in names[:MOST_NAMES]]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(shown) + more
