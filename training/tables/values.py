"""The texts of a column become values of its kind, by the grammar of cells that scoring uses. It decides no kind."""

from typing import Any

import numpy as np
import pandas as pd

from functions.inference import cells
from functions.signature import DType
from training.endings import Mistake
from training.tables.columns import Kind, Lines, Spelled
from training.tables.dates import moment
from training.tables.kinds import bad_cell, quoted

DTYPES: dict[Kind, DType] = {"number": "float64", "boolean": "bool", "category": "string"}


def values_of(column: Spelled, kind: Kind, lines: Lines) -> "pd.Series[Any]":
    """n cells as a pipeline takes them, and as `functions.inference.joblib_engine` makes them.

    number: float64, NaN for missing. boolean: bool, or float64 of 0, 1 and NaN where some are missing. category:
    pandas' texts, NaN for missing. Raises Mistake for the first cell that is no such value.
    """
    dtype = DTYPES[kind]
    read: list[Any] = []
    bad: dict[int, str] = {}
    for place, text in enumerate(column.texts):
        try:
            read.append(cells.read(text, dtype))
        except cells.BadCell as error:
            bad[place] = str(error)
            read.append(None)
    if bad:
        raise bad_cell(column, bad, lines, f"name another kind with --type {quoted(column.name)}=")
    if dtype == "string":
        known = np.array(read, dtype=object)
        return pd.Series(known[column.codes], dtype=pd.StringDtype("python", na_value=np.nan))
    if dtype == "bool" and None not in read:
        return pd.Series(np.array(read, dtype=bool)[column.codes])
    numbers = np.array([np.nan if value is None else float(value) for value in read], dtype=np.float64)
    return pd.Series(numbers[column.codes])


def groups_of(column: Spelled, lines: Lines) -> Any:
    """n whole numbers, the same for rows of the same group. Raises Mistake for a row without one."""
    _complete(column, lines, "--group")
    return column.codes


def times_of(column: Spelled, lines: Lines) -> Any:
    """n numbers in the order of time: all numbers, or all ISO 8601. Raises Mistake for other cells."""
    _complete(column, lines, "--time")
    try:
        return np.array([cells.number(text.strip(" \t")) for text in column.texts])[column.codes]
    except cells.BadCell:
        pass
    moments = []
    for place, text in enumerate(column.texts):
        try:
            moments.append(moment(text))
        except Mistake as mistake:
            raise Mistake(f"line {lines[column.first(place)]}, --time {column.name!r}: {text!r}: {mistake}") from None
    return np.array(moments)[column.codes]


def weights_of(column: Spelled, lines: Lines) -> Any:
    """n numbers from 0 on, not all 0. Raises Mistake for other cells."""
    _complete(column, lines, "--weight")
    weights = values_of(column, "number", lines).to_numpy()
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        raise Mistake(f"line {lines[negative[0]]}, --weight {column.name!r}: {weights[negative[0]]:g} is negative")
    if not weights.any():
        raise Mistake(f"--weight {column.name!r} is 0 in every row")
    return weights


def _complete(column: Spelled, lines: Lines, option: str) -> None:
    gaps = np.flatnonzero(column.missing()[column.codes])
    if len(gaps):
        raise Mistake(
            f"line {lines[gaps[0]]}, {option} {column.name!r}: there is no value (in {len(gaps)} "
            f"row{'s' if len(gaps) > 1 else ''}); fill it, or leave the row out"
        )
