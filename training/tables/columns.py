"""One column of a file as its texts, before anybody says what they mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd

from functions.inference import cells

Kind: TypeAlias = Literal["number", "boolean", "category", "text", "id", "date", "constant", "duplicate", "empty"]

Codes: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
Lines: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]

LONGEST_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Spelled:
    """codes: for each of n rows the place of its text in `texts`, which are all different, in the order they come.

    declared: what the file itself says that the column is, where its format says such things.
    """

    name: str
    codes: Codes
    texts: list[str]
    declared: Kind | None = None

    @classmethod
    def of(cls, name: str, column: Sequence[str], declared: Kind | None = None) -> "Spelled":
        codes, texts = pd.factorize(np.array(column, dtype=object))
        return cls(name, codes.astype(np.int64), [str(text) for text in texts], declared)

    def only(self, rows: Any) -> "Spelled":
        """The same of some rows, n booleans; texts that are left by none of them are forgotten."""
        if rows.all():
            return self
        places, own = pd.factorize(self.codes[rows])
        return Spelled(self.name, places.astype(np.int64), [self.texts[code] for code in own], self.declared)

    def counts(self) -> Codes:
        """How often each text stands."""
        return np.bincount(self.codes, minlength=len(self.texts))

    def missing(self) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        """Which texts are a missing value; spaces around one change nothing here."""
        return np.array([text.strip(" \t") in cells.MISSING for text in self.texts], dtype=bool)

    def first(self, text: int) -> int:
        """The first row with this text, by its place in `texts`."""
        return int(np.flatnonzero(self.codes == text)[0])


def shown(text: str) -> str:
    """A cell as messages quote it."""
    return repr(text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…")
