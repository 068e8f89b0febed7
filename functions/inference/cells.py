"""The one grammar of text cells and column names, for training and scoring alike. It knows no CSV and no JSON."""

import math
import re

from functions.signature import Cell, DType

MISSING = frozenset({"", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"})
TRUE = frozenset({"true", "True", "1"})
FALSE = frozenset({"false", "False", "0"})

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
LARGEST_EXACT = 2**53


class BadCell(ValueError):
    """A text that is no value of its type; the message says what was expected, `reason` is its code."""

    def __init__(self, expected: str, reason: str = "bad_cell") -> None:
        super().__init__(expected)
        self.reason = reason


def column_name(text: str) -> str:
    """A column's name as it is compared: exact, but for spaces, tabs and byte order marks around it."""
    return text.strip(" \t\ufeff")


def read(text: str, dtype: DType) -> Cell:
    """The value a cell spells for a feature of this type; None for missing. Raises BadCell.

    Spaces around a number or a boolean are no part of it; a text is exactly what is written.
    """
    if dtype == "string":
        return None if text in MISSING else text
    word = text.strip(" \t")
    if word in MISSING:
        return None
    return number(word) if dtype == "float64" else boolean(word)


def number(text: str) -> float:
    """The float64 a word spells. Raises BadCell; underflow to 0 is read."""
    if not NUMBER.fullmatch(text):
        raise BadCell("a number", "not_a_number")
    value = float(text)
    if math.isinf(value):
        raise BadCell("a number that float64 can hold", "number_too_large")
    digits = text.lstrip("+-0")
    whole = digits.isdigit()  # other numbers are rounded by nature
    if whole and abs(value) >= LARGEST_EXACT and int(digits) != int(abs(value)):
        raise BadCell("a whole number that float64 can hold exactly", "number_not_exact")
    return value


def boolean(text: str) -> bool:
    """Raises BadCell for anything but true, false, True, False, 1, 0."""
    if text in TRUE:
        return True
    if text in FALSE:
        return False
    raise BadCell("true or false", "not_a_boolean")
