"""A CSV file becomes features and labels, by the cell grammar that scoring uses. It fits nothing.

pandas reads every cell as text; what a text means is said by `functions.inference.cells` alone.
"""

import gzip
import hashlib
import io
import shlex
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from functions.inference import cells
from training.endings import Mistake
from training.records import Framing, frame
from training.target import Labels, read_labels

GZIP = b"\x1f\x8b"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Table:
    """What there is to learn from.

    features: n rows, one float64 column for each feature in the file's order, NaN for missing.
    labels: n labels, dtype int64, bool or object (str), one for each row.
    dropped: rows left out because their target was missing. sha256: of the file's bytes, lower-case hex.
    """

    features: pd.DataFrame
    labels: Labels
    target: str
    dropped: int
    sha256: str


def read_table(path: Path, target: str, *, drop: Sequence[str] = (), separator: str | None = None) -> Table:
    """Reads a CSV file. Raises Mistake for what cannot be learnt from, naming line and column where there are any."""
    body = _bytes(path)
    try:
        text = _text(body)
        framing = frame(text, target.strip(), separator)
        names = _features(framing.names, target.strip(), [name.strip() for name in drop])
        return _read(text, framing, target.strip(), names, hashlib.sha256(body).hexdigest())
    except Mistake as mistake:
        raise Mistake(f"{path}: {mistake}") from None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise Mistake(f"there is no file {path}") from None
    except IsADirectoryError:
        raise Mistake(f"{path} is a folder; name a CSV file in it") from None
    except OSError as error:
        raise Mistake(f"{path} cannot be read: {error.strerror}") from None


def _text(body: bytes) -> str:
    if body.startswith(GZIP):
        try:
            body = gzip.decompress(body)
        except (OSError, EOFError, zlib.error):
            raise Mistake("the gzip data is broken or cut off; make the file anew") from None
    if body.startswith(UTF16) or b"\0" in body:
        raise Mistake("the file is UTF-16, or binary; save it as CSV in UTF-8")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise Mistake(f"line {line} is not UTF-8 (byte 0x{body[error.start]:02x}); save the file as UTF-8") from None


def _features(names: list[str], target: str, drop: list[str]) -> list[str]:
    """The features' names, in the file's order."""
    for name in drop:
        if name not in names:
            raise Mistake(f"there is no column {name!r} to drop; {_there_are(names, name)}")
    if target not in names:
        raise Mistake(f"there is no column {target!r} for --target; {_there_are(names, target)}")
    if target in drop:
        raise Mistake(f"{target!r} is the target and cannot be dropped")
    kept = [name for name in names if name not in drop]
    repeated = [name for name, times in Counter(kept).items() if times > 1]
    if repeated:
        raise Mistake(f"there is more than one column {repeated[0]!r}; rename them, so that each name stands once")
    if "" in kept:
        raise Mistake(f"column {names.index('') + 1} has no name; name it, or leave it out with --drop ''")
    features = [name for name in kept if name != target]
    if not features:
        raise Mistake(f"there is no column beside {target!r} to learn from; is the separator right? (--separator)")
    return features


def _there_are(names: list[str], wanted: str) -> str:
    near = get_close_matches(wanted, names, n=1)
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"the columns are {shown}" + (f"; did you mean {near[0]!r}?" if near else "")


def _read(text: str, framing: Framing, target: str, names: list[str], digest: str) -> Table:
    columns = _columns(text, framing, [*names, target])
    lines = np.asarray(framing.lines)
    labels, present = read_labels(columns[target].to_numpy(dtype=object), target)
    features = _numbers(columns.loc[present, names], lines[present])
    return Table(features, labels, target, int((~present).sum()), digest)


def _columns(text: str, framing: Framing, names: list[str]) -> pd.DataFrame:
    """The named columns as text, one row for each record."""
    everything = pd.read_csv(
        io.StringIO(text), sep=framing.separator, header=None, dtype=str, keep_default_na=False, na_filter=False
    )
    if everything.shape != (len(framing.lines) + 1, len(framing.names)):
        raise Mistake(
            f"pandas reads {len(everything) - 1} records of {everything.shape[1]} cells where there are "
            f"{len(framing.lines)} of {len(framing.names)}; look for odd quotes and blank lines"
        )
    everything.columns = pd.Index(range(len(framing.names)))
    return everything.iloc[1:, [framing.names.index(name) for name in names]].set_axis(names, axis=1)


def _numbers(columns: pd.DataFrame, lines: np.ndarray[tuple[int], np.dtype[np.int64]]) -> pd.DataFrame:
    """Every cell as float64. Raises Mistake for the first cell that is none, and says how many there are."""
    numbers: dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]] = {}
    bad: list[tuple[int, str, str, str]] = []  # row, column, found, expected: the first of each column
    times = 0
    for name in columns.columns:
        codes, texts = pd.factorize(columns[name].to_numpy(dtype=object))
        values = np.empty(len(texts))
        expected: dict[int, str] = {}
        for code, cell in enumerate(texts):
            try:
                value = cells.read(cell, "float64")
            except cells.BadCell as error:
                expected[code] = str(error)
            else:
                values[code] = np.nan if value is None else value
        if expected:
            rows = np.flatnonzero(np.isin(codes, list(expected)))
            times += len(rows)
            code = codes[rows[0]]
            bad.append((int(rows[0]), name, texts[code], expected[int(code)]))
        numbers[name] = values[codes]
    if bad:
        raise _not_numbers(bad, times, lines)
    return _with_values(pd.DataFrame(numbers))


def _not_numbers(
    bad: list[tuple[int, str, str, str]], times: int, lines: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Mistake:
    row, name, found, expected = min(bad)
    shown = found if len(found) <= 80 else found[:79] + "…"
    more = f" (and {times - 1} more such cell{'s' if times > 2 else ''})" if times > 1 else ""
    drops = " ".join(f"--drop {shlex.quote(column)}" for _, column, _, _ in sorted(bad, key=lambda one: one[0])[:5])
    return Mistake(
        f"line {lines[row]}, column {name!r}: found {shown!r}, expected {expected}{more}; "
        f"mend it, or leave out what is not numeric with {drops}"
    )


def _with_values(features: pd.DataFrame) -> pd.DataFrame:
    empty = [str(name) for name in features.columns if features[name].isna().all()]
    if empty:
        raise Mistake(f"column {empty[0]!r} has no value at all; leave it out with --drop {shlex.quote(empty[0])}")
    return features
