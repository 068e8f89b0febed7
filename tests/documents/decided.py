"""docs/decided-cases.md: the tests of the decided cases are run, and what became of each file is put down.

A row's words are what the test says of itself, its examples what the test gives, its outcome what the loop made of
that. A test that fails ends the writing: nothing is told that is not so.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from functions.errors import DropRefused
from functions.scoring.loop import Options
from tests.documents.marked import DOCS, table
from tests.unit.scoring import test_decided_cases as decided
from tests.unit.scoring.harness import OPTIONS, Scored, score

DOCUMENT = DOCS / "decided-cases.md"
HEAD = """# Decided cases

What becomes of an odd file, case by case. [docs/batch.md](batch.md) has the contract, and [docs/errors.md](errors.md)
what each code means and what helps. `make docs` writes this page by running `tests/unit/scoring/test_decided_cases.py`,
and a test compares.

The model takes the four numbers of iris, of which training saw none missing; where booleans, texts or missing values
matter, it takes `age`, `city` and `member`, of which some were missing. An example is a cell, a row, or a file; an
ordinary header above it is left out, and so are good rows around it. `\\n` and the like are bytes that do not show. The
limit of a record is `BATCH_MAX_RECORD_BYTES`. What is not the file's doing alone is not here but in
[docs/errors.md](errors.md): size, time, and rows that the model itself refuses.
"""
HEADS = ["Case", "For example", "Becomes"]
LONGEST = 110  # characters of an example
NO_HEADERS = (b"note," + decided.HEADER, decided.HEADER, decided.MIXED)  # they say nothing of the case


@dataclass(frozen=True, slots=True)
class Run:
    """What was scored, as a test gave it, and what became of it."""

    data: Any
    options: Options
    outcome: str


def text() -> str:
    """The whole page. Raises what a failing test raises."""
    parts = [HEAD]
    for heading, tests in sections():
        rows = [row for test in tests for row in _rows(test)]
        parts.append(f"## {heading[0].upper()}{heading[1:]}\n\n{table(HEADS, rows)}")
    return "\n".join(parts)


def sections() -> Iterator[tuple[str, list[Callable[..., None]]]]:
    """Every test, in order, under the comment that stands above it in the file."""
    source = Path(str(decided.__file__)).read_text(encoding="utf-8")
    for heading, body in re.findall(r"^# (.+?)\n(.*?)(?=^# |\Z)", source, re.MULTILINE | re.DOTALL):
        yield heading, [getattr(decided, name) for name in re.findall(r"^def (test_\w+)", body, re.MULTILINE)]


def _rows(test: Callable[..., None]) -> list[list[str]]:
    """A row for each outcome, with every example that came to it."""
    case, _, example = str(test.__doc__).partition(" As: ")
    rows: dict[str, list[str]] = {}
    for given in _parameters(test):
        for run in _runs(test, given):
            shown = example or _shown(next(iter(given.values())) if given else run.data) + _set(run.options)
            examples = rows.setdefault(run.outcome, [])
            if shown not in examples:
                examples.append(shown)
    return [[case.removesuffix("."), " · ".join(examples), outcome] for outcome, examples in rows.items()]


def _parameters(test: Callable[..., None]) -> list[dict[str, Any]]:
    """What the test is called with, each time."""
    calls: list[dict[str, Any]] = [{}]
    for mark in getattr(test, "pytestmark", []):
        names, values = mark.args
        named = [names] if isinstance(names, str) else list(names)
        each = [dict(zip(named, [one] if len(named) == 1 else one, strict=True)) for one in values]
        calls = [call | one for call in calls for one in each]
    return calls


def _runs(test: Callable[..., None], given: dict[str, Any]) -> list[Run]:
    found: list[Run] = []

    def watched(data: Any, model: str = "iris", *, options: Options = OPTIONS) -> Scored:
        try:
            scored = score(data, model, options=options)
        except DropRefused as error:
            found.append(Run(data, options, f"the file is refused: `{error.code}`"))
            raise
        found.append(Run(data, options, _outcome(scored)))
        return scored

    with mock.patch.object(decided, "score", watched):
        test(**given)
    return found


def _outcome(scored: Scored) -> str:
    rows = scored.tally.rows
    codes = ", ".join(f"`{code}`" for code in scored.tally.reasons)
    blank = f"; {rows.blank} blank line{'s' if rows.blank > 1 else ''} dropped" if rows.blank else ""
    if not rows.rejected:
        return f"{'scored' if rows.input else 'scored, with no rows'}{blank}"
    return f"rejected: {codes}{'; the other rows are scored' if rows.scored else ''}{blank}"


def _set(options: Options) -> str:
    """The separator, or else the record limit, where it is another than usual."""
    if options.separator:
        return f" with `BATCH_SEPARATOR={options.separator}`"
    return f" at a limit of {options.limit} bytes" if options.limit != OPTIONS.limit else ""


def _shown(value: bytes | str) -> str:
    data = value.encode() if isinstance(value, str) else value
    for header in NO_HEADERS:
        data = data.removeprefix(header) or data
    good = decided.GOOD
    if data.startswith(good) and data.endswith(good) and len(data) > 2 * len(good):
        data = data[len(good) : -len(good) - 1]
    read = data.decode("utf-8", "backslashreplace")
    told = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in read)
    if not told.strip():
        return "a space" if told else "nothing"
    return f"`{told[:LONGEST]}…`" if len(told) > LONGEST else f"`{told}`"
