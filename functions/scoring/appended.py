"""Writes what is appended to a row: predictions and probabilities as CSV cells. It reads nothing.

A text is quoted where CSV asks for it, and can never start a formula in a spreadsheet.
Source: OWASP, "CSV Injection".
"""

from collections.abc import Iterator, Sequence
from typing import Any

from functions.inference.cells import NUMBER
from functions.signature import Label, Signature

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
    """The bytes appended to each of n rows, in one drop's separator."""

    def __init__(self, signature: Signature, separator: bytes, *, probabilities: bool) -> None:
        self._separator = separator
        self._probabilities = probabilities and signature.task == "classification"
        self._labels = [separator + cell_of(label_text(label), separator) for label in signature.classes]

    def cells(
        self,
        classes: Sequence[int] | None,
        probabilities: Sequence[Sequence[float]] | None,
        values: Sequence[float] | None,
    ) -> Iterator[bytes]:
        """One for each row, led by a separator. Numbers are Python's shortest that reads back as the same float64."""
        separator = self._separator
        if classes is None:
            return (separator + repr(value).encode() for value in values or ())
        labels = self._labels
        if not self._probabilities:
            return (labels[index] for index in classes)
        if probabilities is None:  # the pipeline has none: the columns stay empty
            empty = separator * len(labels)
            return (labels[index] + empty for index in classes)
        rows: Any = zip(classes, probabilities, strict=True)
        return (
            labels[index] + b"".join(separator + repr(chance).encode() for chance in chances) for index, chances in rows
        )
