"""Checks rows of JSON values against a signature and puts them in its order. It knows no protocol.

A problem is `{"row", "column", "found", "expected"}`; `row` counts from 0. Up to ten are told at once.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from functions.errors import InvalidRows
from functions.inference.cells import column_name
from functions.signature import Cell, Feature, Signature

MOST_PROBLEMS = 10
MOST_NAMES = 20
LONGEST_FOUND = 80


class Schema:
    """The check for one signature."""

    def __init__(self, signature: Signature) -> None:
        self._features = signature.features
        self._names = signature.names
        self._known = frozenset(self._names)
        more = f" and {len(self._names) - MOST_NAMES} more" if len(self._names) > MOST_NAMES else ""
        self._all = ", ".join(self._names[:MOST_NAMES]) + more
        self._one_of = f"one of {self._all}"

    def check(self, instances: Sequence[Any]) -> list[list[Cell]]:
        """Rows in the signature's order, numbers as float64. Each instance is a list in that order, or an object.

        Raises InvalidRows, naming for each problem the row, the column, what came and what was expected.
        """
        rows: list[list[Cell]] = []
        problems: list[dict[str, Any]] = []
        bad = 0
        for index, instance in enumerate(instances):
            before = len(problems)
            row = self._row(index, instance, problems)
            if len(problems) > before:
                bad += 1
            rows.append(row)
            if len(problems) >= MOST_PROBLEMS:
                break
        if problems:
            raise invalid_rows(bad, len(instances), problems)
        return rows

    def _row(self, index: int, instance: Any, problems: list[dict[str, Any]]) -> list[Cell]:
        if isinstance(instance, Mapping):
            values = self._by_name(index, instance, problems)
        elif isinstance(instance, list):
            if len(instance) != len(self._features):
                wanted = f"{_count(self._features)}: {self._all}"
                problems.append(_problem(index, None, _count(instance), wanted))
                return []
            values = instance
        else:
            problems.append(_problem(index, None, found(instance), "a list of values, or an object by feature name"))
            return []
        row: list[Cell] = []
        for feature, value in zip(self._features, values, strict=True):
            if type(value) is float and math.isfinite(value) and feature.dtype == "float64":
                row.append(value)
            elif value is not _ABSENT:
                expected, cell = cell_of(feature, value)
                row.append(cell)
                if expected:
                    problems.append(_problem(index, feature.name, found(value), expected))
        return row

    def _by_name(self, index: int, instance: Mapping[str, Any], problems: list[dict[str, Any]]) -> list[Any]:
        named: dict[str, Any] = {}
        for key, value in instance.items():
            name = column_name(key)
            if len(problems) >= MOST_PROBLEMS:
                break
            if name not in self._known:
                problems.append(_problem(index, found(key), "an unknown name", self._one_of))
            elif name in named:
                problems.append(_problem(index, name, "the name twice", "each name once"))
            else:
                named[name] = value
        missing = [feature for feature in self._features if feature.name not in named][:MOST_PROBLEMS]
        problems += [_problem(index, feature.name, "nothing", expected_of(feature)) for feature in missing]
        return [named.get(name, _ABSENT) for name in self._names]


_ABSENT = object()


def invalid_rows(bad: int, rows: int, problems: list[dict[str, Any]]) -> InvalidRows:
    """The error about `bad` of `rows` rows; where as many problems as are told were found, there may be more."""
    more = "at least " if len(problems) >= MOST_PROBLEMS and bad < rows else ""
    noun = "row" if rows == 1 else "rows"
    return InvalidRows(f"{more}{bad} of {rows} {noun} cannot be scored", problems[:MOST_PROBLEMS])


def cell_of(feature: Feature, value: Any) -> tuple[str | None, Cell]:
    """`(None, cell)` where the JSON value fits the feature, else `(what was expected, None)`."""
    if value is None:
        return (None, None) if feature.nullable else (expected_of(feature), None)
    if feature.dtype == "string":
        return (None, value) if isinstance(value, str) else (expected_of(feature), None)
    if feature.dtype == "bool":
        return (None, value) if isinstance(value, bool) else (expected_of(feature), None)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return expected_of(feature), None
    try:
        number = float(value)
    except OverflowError:
        return "a number that float64 can hold", None
    if not math.isfinite(number):
        return "a finite number", None
    if isinstance(value, int) and int(number) != value:
        return "a whole number that float64 can hold exactly", None
    return None, number


def expected_of(feature: Feature) -> str:
    kind = {"float64": "a number", "bool": "true or false", "string": "a text"}[feature.dtype]
    return f"{kind} or null" if feature.nullable else kind


def found(value: Any) -> Any:
    """What came, short enough to be told; nested values by their kind."""
    if isinstance(value, str):
        return value if len(value) <= LONGEST_FOUND else value[: LONGEST_FOUND - 1] + "…"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**53:
        return str(value) if abs(value) < 10**LONGEST_FOUND else "a huge whole number"
    return value


def _count(values: Sequence[Any]) -> str:
    return "1 value" if len(values) == 1 else f"{len(values)} values"


def _problem(row: int, column: str | None, came: Any, expected: str) -> dict[str, Any]:
    return {"row": row, "column": column, "found": came, "expected": expected}
