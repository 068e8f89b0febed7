"""What a column is: numbers, booleans, categories; or why it is no feature. It looks at texts and changes none.

Serving takes numbers, booleans and texts as they are (functions.signature). So a date is no feature: what is told from
it (a year, an age in days) has to be a column of its own, in training and in every request alike.
"""

import re
from dataclasses import dataclass

import numpy as np

from functions.inference import cells
from training.endings import Mistake
from training.tables.columns import Kind, Lines, Spelled, shown
from training.tables.dates import is_date

FEATURES: tuple[Kind, ...] = ("number", "boolean", "category")
"""Kinds that can be learnt from, and that --type names."""

MOST_CATEGORIES = 1000
FEWEST_ROWS_OF_AN_ID = 10
MOSTLY = 0.75
"""From this share of numbers on, the other cells of a column are taken for mistakes in it."""

NAMED_ID = re.compile(r"(?:^|[_\W])(?:id|ids|uuid|guid|key|index|idx|row|nr|no)$|[a-z](?:Id|ID)$", re.IGNORECASE)
ODD_NUMBER = re.compile(
    r"[+-]?(?:\d{1,3}(?:[,_' ]\d{3})+(?:[.,]\d+)?|\d[\d_]*(?:,\d+)?|0[xX][0-9a-fA-F]+|inf(?:inity)?)(?:[eE][+-]?\d+)?",
    re.IGNORECASE,
)
"""A number to people or programs, and none to the grammar of cells."""

DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """kind, and why it is taken so or left out; empty where that goes without saying."""

    kind: Kind
    reason: str = ""


def kind_of(column: Spelled, wanted: Kind | None, lines: Lines) -> Finding:
    """What the column is; `wanted` is the kind that was asked for. Whether it repeats another is not seen here.

    Raises Mistake for a column of numbers with cells that are none, naming the first.
    """
    missing = column.missing()
    if missing.all():
        return Finding("empty", "no value at all")
    if wanted is not None:
        return Finding(wanted, "as --type says")
    present = np.flatnonzero(~missing)
    texts = [column.texts[at].strip(" \t") for at in present]
    if column.declared == "category":
        return _of_texts(column, texts)
    if all(text in cells.TRUE | cells.FALSE for text in texts) and not set(texts) <= {"0", "1"}:
        return _unless_constant(Finding("boolean"), column, texts)
    if _codes(texts):
        return _of_texts(column, texts)
    if all(map(is_date, texts)):
        return Finding("date", "a date, and serving takes numbers, booleans and texts; add what it tells as a column")
    numbers = [_number(text) for text in texts]
    if all(number is not None for number in numbers):
        return _of_numbers(column, texts, [number for number in numbers if number is not None])
    _refuse_mixed(column, present, lines)
    return _of_texts(column, texts)


def _number(text: str) -> float | None:
    try:
        return cells.number(text)
    except cells.BadCell:
        return None


def _codes(texts: list[str]) -> bool:
    """Digits of one length with zeros in front: a postal code, a part number."""
    return (
        len({len(text) for text in texts}) == 1
        and any(text[0] == "0" and len(text) > 1 for text in texts)
        and all(map(DIGITS.fullmatch, texts))
    )


def _of_numbers(column: Spelled, texts: list[str], values: list[float]) -> Finding:
    if len(set(values)) == 1:
        return _unless_constant(Finding("number"), column, texts[:1])
    rows = len(column.codes)
    if len(set(values)) == rows >= FEWEST_ROWS_OF_AN_ID and all(map(float.is_integer, values)):
        if np.ptp(np.diff(np.array(values)[column.codes])) == 0 and abs(values[1] - values[0]) == 1:
            return Finding("id", f"it counts the rows; {_keep(column, 'number')}")
        if NAMED_ID.search(column.name):
            return Finding("id", f"named as an id, and different in every row; {_keep(column, 'number')}")
    return Finding("number")


def _of_texts(column: Spelled, texts: list[str]) -> Finding:
    different = len(texts)
    rows = int(column.counts()[~column.missing()].sum())
    if different == 1:
        return _unless_constant(Finding("category"), column, texts)
    if different <= MOST_CATEGORIES and 2 * different <= rows:
        return Finding("category")
    told = f"{different} different in {rows} rows; {_keep(column, 'category')}"
    words = float(np.mean([len(text.split()) for text in texts]))
    return Finding("text", f"written text, {told}") if words >= 3 else Finding("id", told)


def _unless_constant(finding: Finding, column: Spelled, texts: list[str]) -> Finding:
    if len(set(texts)) > 1:
        return finding
    if not column.missing().any():
        return Finding("constant", "the same in every row")
    if finding.kind == "category":
        return finding  # there, or not
    return Finding("constant", f"the same in every row that has it; {_keep(column, 'category')}")


def _keep(column: Spelled, kind: Kind) -> str:
    return f"--type {column.name}={kind} keeps it"


def _refuse_mixed(column: Spelled, present: "np.ndarray[tuple[int], np.dtype[np.int64]]", lines: Lines) -> None:
    """Raises Mistake where most rows are numbers, or would be if they were spelled so."""
    counts = column.counts()
    bad: dict[int, str] = {}
    good = odd = 0
    for at in present.tolist():
        text = column.texts[at].strip(" \t")
        try:
            cells.number(text)
        except cells.BadCell as error:
            bad[at] = str(error)
            odd += int(counts[at]) if ODD_NUMBER.fullmatch(text) else 0
        else:
            good += int(counts[at])
    whole = (
        all(map(DIGITS.fullmatch, (column.texts[at] for at in bad))) and not good
    )  # too long for numbers, all of them
    if whole or good + odd < MOSTLY * int(counts[present].sum()):
        return
    raise bad_cell(column, bad, lines, f"read the column as texts with --type {quoted(column.name)}=category")


def bad_cell(column: Spelled, bad: dict[int, str], lines: Lines, other: str) -> Mistake:
    """About the first of the texts (by place) that are not what was expected; `other`: what else could be done."""
    rows = np.flatnonzero(np.isin(column.codes, list(bad)))
    text = int(column.codes[rows[0]])
    more = f" (and {len(rows) - 1} more such cell{'s' if len(rows) > 2 else ''})" if len(rows) > 1 else ""
    return Mistake(
        f"line {lines[rows[0]]}, column {column.name!r}: found {shown(column.texts[text])}, "
        f"expected {bad[text]}{more}; mend it, {other}, or leave it out with --drop {quoted(column.name)}"
    )


def quoted(name: str) -> str:
    """As a shell takes it."""
    import shlex

    return shlex.quote(name)
