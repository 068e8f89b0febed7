"""Runs of the training command, in this process, with what they printed. It knows no test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from functions.registry.store import Store
from training.cli import main

PROJECT = Path(__file__).parent.parent
IRIS = PROJECT / "data" / "iris.csv"
VERSION = r"\d{8}T\d{6}Z-[0-9a-f]{8}"


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str


def train(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Run:
    capsys.readouterr()
    code = main(["fit", *map(str, arguments)])
    printed = capsys.readouterr()
    return Run(code, printed.out, printed.err)


def everything_in(store: Store) -> dict[str, bytes]:
    return {key: store.get(key).body for key in store.keys("")}


def table(rows: Sequence[str], header: str = "a,b,y", end: str = "\n") -> str:
    """A CSV text of these rows after twelve good ones: two numeric columns, and a target y of two classes."""
    good = [f"{number}.5,{number % 5},{'p' if number % 2 else 'q'}" for number in range(12)]
    return end.join([header, *good, *rows, ""])


LINE = 14
"""The physical line of the first row that `table` appends."""
