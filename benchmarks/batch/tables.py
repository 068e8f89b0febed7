"""The CSV files that are scored: made row by row from a seed, so that every run has the same bytes. It knows no model.

Numbers are written as a spreadsheet writes them: 5, 5.1 and 5.12, whatever fits.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

ROWS_AT_ONCE = 50_000
HUNDREDTHS = [f"{number / 100:g}" for number in range(1000)]
IRIS = {"sepal_length": (430, 790), "sepal_width": (200, 440), "petal_length": (100, 690), "petal_width": (10, 250)}
"""Column to its range in hundredths of a centimetre, as in the data set."""

WIDE_NUMBERS, WIDE_TEXTS, WIDE_NOTES = 150, 29, 20
CITIES = ["Bern", "Genf", "Basel", "Zürich", "Chur", "Lugano"]
WIDE = [
    "id",
    *(f"number_{at:03}" for at in range(WIDE_NUMBERS)),
    *(f"city_{at:02}" for at in range(WIDE_TEXTS)),
    *(f"note_{at:02}" for at in range(WIDE_NOTES)),
]
"""200 columns."""
NOTES = ["", "as agreed", "second visit", "n/a", "see the file", "called back on Monday"]
QUOTED_NOTES = ["", '"Smith, John"', '"she said ""yes"""', "plain", '"two\nlines"', '"as agreed"']

Rows = Callable[[np.random.Generator, int, int], Iterator[str]]


def write(path: Path, kind: str, rows: int) -> None:
    """Writes a table of this kind: a header and `rows` records; memory does not grow with them."""
    header, make = KINDS[kind]
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(header) + "\n")
        for start in range(0, rows, ROWS_AT_ONCE):
            count = min(ROWS_AT_ONCE, rows - start)
            random = np.random.default_rng([len(header), start])
            file.writelines(f"{row}\n" for row in make(random, start + 1, count))


def _flowers(random: np.random.Generator, first: int, count: int) -> Iterator[str]:
    columns = [_written(random, low, high, count) for low, high in IRIS.values()]
    return map(",".join, zip(map(str, range(first, first + count)), *columns, strict=True))


def _written(random: np.random.Generator, low: int, high: int, count: int) -> Iterator[str]:
    return map(HUNDREDTHS.__getitem__, random.integers(low, high, count, endpoint=True).tolist())


def _wide(notes: list[str]) -> Rows:
    def make(random: np.random.Generator, first: int, count: int) -> Iterator[str]:
        for number in range(first, first + count):
            cells = [str(number), *_written(random, 0, 999, WIDE_NUMBERS)]
            for words, times in ((CITIES, WIDE_TEXTS), (notes, WIDE_NOTES)):
                cells += map(words.__getitem__, random.integers(0, len(words), times).tolist())
            yield ",".join(cells)

    return make


def _exponents(random: np.random.Generator, first: int, count: int) -> Iterator[str]:
    """The flowers as some programs write numbers: 5.1e+00."""
    columns = [_with_exponents(random, low, high, count) for low, high in IRIS.values()]
    return map(",".join, zip(map(str, range(first, first + count)), *columns, strict=True))


def _with_exponents(random: np.random.Generator, low: int, high: int, count: int) -> Iterator[str]:
    return (f"{number / 100:.2e}" for number in random.integers(low, high, count, endpoint=True).tolist())


def _every_cell_quoted(random: np.random.Generator, first: int, count: int) -> Iterator[str]:
    """The flowers with every cell in quotes, as some programs write it."""
    return ('"' + row.replace(",", '","') + '"' for row in _flowers(random, first, count))


def _odd(random: np.random.Generator, first: int, count: int) -> Iterator[str]:
    """The flowers and a note that holds quotes without being quoted."""
    return (row + ',5" x 7"' for row in _flowers(random, first, count))


KINDS: dict[str, tuple[list[str], Rows]] = {
    "flowers": (["id", *IRIS], _flowers),
    "quoted": (["id", *IRIS], _every_cell_quoted),
    "exponents": (["id", *IRIS], _exponents),
    "odd": (["id", *IRIS, "note"], _odd),
    "wide": (WIDE, _wide(NOTES)),
    "wide_quoted": (WIDE, _wide(QUOTED_NOTES)),
}
"""By name: the header and what makes its rows."""
