"""Writes what is appended to rows: predictions and probabilities as CSV cells. It reads nothing.

A text is quoted where CSV asks for it, and can never start a formula in a spreadsheet.
Source: OWASP, "CSV Injection".
"""

from typing import Any, TypeAlias

import msgspec
import numpy as np

from functions.inference.cells import NUMBER
from functions.scoring.splicing import Chosen, Pieces
from functions.signature import Label, Signature

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[Any]]

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: full width


def label_text(label: Label) -> str:
    """A class as text: what JSON would show, without its quotes."""
    if isinstance(label, bool):
        return "true" if label else "false"
    return str(label)


def cell_of(text: str, separator: bytes) -> bytes:
    """A text as one cell. One that would start a formula gets an apostrophe before it; a number is none."""
    if text.startswith(FORMULA) and not NUMBER.fullmatch(text):
        text = "'" + text
    cell = text.encode("utf-8", "surrogateescape")
    if any(mark in cell for mark in (separator, b'"', b"\n", b"\r")) or cell.startswith(b" ") or cell.endswith(b" "):
        return b'"' + cell.replace(b'"', b'""') + b'"'
    return cell


class Appender:
    """What is appended to each of n rows, in one drop's separator."""

    def __init__(self, signature: Signature, separator: bytes, *, probabilities: bool) -> None:
        self._separator = separator
        self._probabilities = probabilities and signature.task == "classification"
        labels = [separator + cell_of(label_text(label), separator) for label in signature.classes]
        self._labels = Chosen.of(labels)
        # Where the pipeline has no probabilities, their columns stay empty.
        self._alone = Chosen.of([label + separator * len(labels) for label in labels])

    def cells(
        self, classes: Array | None, probabilities: Array | None, values: Array | None
    ) -> "list[Chosen | Pieces]":
        """What comes after n rows, one thing after the other, each cell led by a separator.

        classes: n indices; None in regression, where values are n numbers. Numbers are spelled as JSON spells them: the
        shortest that reads back as the same float64.
        """
        if classes is None:
            assert values is not None  # noqa: S101 # regression has values; for the type checker
            return [self._numbers(values.reshape(-1, 1))]
        if not self._probabilities:
            return [self._labels.choose(classes)]
        if probabilities is None:
            return [self._alone.choose(classes)]
        return [self._labels.choose(classes), self._numbers(probabilities)]

    def _numbers(self, numbers: Array) -> Pieces:
        """n rows of numbers, each led by a separator."""
        rows, width = numbers.shape
        spelled = np.frombuffer(msgspec.json.encode(numbers.ravel().tolist()), dtype=np.uint8)
        text = spelled[:-1].copy()  # the bracket that opens stands where the first separator belongs
        marks = np.flatnonzero(text == ord(","))
        text[0] = text[marks] = self._separator[0]
        starts = np.concatenate(([0], marks))[::width]
        return Pieces(text, np.diff(starts, append=len(text))[:rows])
