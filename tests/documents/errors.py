"""docs/errors.md out of the error tree and the reasons' own words."""

import ast
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from functions import errors
from functions.protocols.invocations import CODES
from functions.scoring import reasons
from tests.conftest import PROJECT

DOCUMENT = PROJECT / "docs" / "errors.md"
ANY_ERROR = (
    "Something failed that should not have. Remedy: see the traceback in the function's log, by the request's id, and "
    "tell us."
)


class Told(NamedTuple):
    """One code: what it means, and what helps."""

    code: str
    meaning: str
    remedy: str

    @classmethod
    def of(cls, code: str, words: str) -> "Told":
        """Raises ValueError where the words lack one of the two."""
        meaning, remedy = words.split(" Remedy: ")
        return cls(code, " ".join(meaning.split()), _sentence(" ".join(remedy.split())))


def text() -> str:
    """The whole document."""
    return "\n".join([*_http(), *_batch(), *_stores(), ""])


def answered() -> list[type[errors.ServingError]]:
    """The classes a client over HTTP may meet, by status."""
    tree: list[type[errors.ServingError]] = [
        *below(errors.RequestError),
        errors.EventError,
        errors.ModelError,
        *below(errors.ModelError),
    ]
    tree.sort(key=lambda error: error.status)
    tree.append(errors.ServingError)
    return tree


def stores() -> list[type[errors.ServingError]]:
    return [errors.StoreError, *below(errors.StoreError)]


def below(root: type[errors.ServingError]) -> list[type[errors.ServingError]]:
    return [each for child in root.__subclasses__() for each in (child, *below(child))]


def told_of_reasons() -> dict[str, Told]:
    """Every code of reasons.py by its constant's name: the text below each constant."""
    tree = ast.parse(Path(reasons.__file__).read_text()).body
    found = {}
    for named, words in pairwise(tree):
        if isinstance(named, ast.Assign) and isinstance(named.targets[0], ast.Name):
            name = named.targets[0].id
            if not (isinstance(words, ast.Expr) and isinstance(words.value, ast.Constant)):
                raise ValueError(f"{name} has no words below it")
            found[name] = Told.of(getattr(reasons, name), str(words.value.value))
    return found


def _http() -> list[str]:
    return [
        "# Errors",
        "",
        "Written by `make docs` from the code; a test compares.",
        "",
        "## Answers over HTTP",
        "",
        "One shape, on every path but those whose protocol has its own:",
        "",
        "```json",
        '{"error": {"code": "invalid_rows", "message": "1 of 2 rows cannot be scored",',
        '           "details": [{"row": 1, "column": "petal_width", "found": "abc", "expected": "a number"}]}}',
        "```",
        "",
        "`details[].row` counts from 0; up to ten problems are told. A client's mistake is never a 5xx, and a 5xx",
        "never carries a path or a traceback. On `/invocations`, `/health` and `/version` the code is MLflow's, as",
        '`{"error_code", "message", "details"}`; under `/v2` all is told in one text, `{"error": "..."}`. A direct',
        "invocation gets the same body as `/predict`, without a status.",
        "",
        *_table(
            ["Status", "Code", "On `/invocations`", "Meaning", "Remedy"],
            (
                [str(error.status), f"`{told.code}`", f"`{CODES[error.status]}`", told.meaning, told.remedy]
                for error in answered()
                for told in [Told.of(error.code, ANY_ERROR if error is errors.ServingError else _words(error))]
            ),
        ),
        "",
        "503 comes with `Retry-After`, 405 with `Allow`. A request over 6 MB does not reach the function: API Gateway",
        "and function URLs answer 413 themselves, with a body of their own.",
        "",
    ]


def _batch() -> list[str]:
    told = told_of_reasons()
    names = list(told)
    drops = names[names.index("EMPTY_FILE") : names.index("TOO_MANY_REJECTED")]
    rows = names[: names.index("EMPTY_FILE")]
    return [
        "## Dropped files",
        "",
        "A row that cannot be scored goes to `rejected/`, with one of these in its `reason` column; the others are",
        "scored.",
        "",
        *_table(["Reason", "Meaning", "Remedy"], ([f"`{told[n].code}`", *told[n][1:]] for n in rows)),
        "",
        'A file that cannot be scored at all gets a summary with `"status": "refused"` and one of these in `reason`.',
        "",
        *_table(["Reason", "Meaning", "Remedy"], ([f"`{told[n].code}`", *told[n][1:]] for n in drops)),
        "",
        'A file whose results stand and are marked `"status": "failed"`:',
        "",
        *_table(
            ["Reason", "Meaning", "Remedy"],
            ([f"`{told[n].code}`", *told[n][1:]] for n in ["TOO_MANY_REJECTED"]),
        ),
        "",
        "Where a drop could not be finished for a passing reason, the invocation fails, so that the event comes again;",
        "a queue is told which of its messages are to come back (`batchItemFailures`).",
        "",
        *_table(
            ["Code", "Meaning", "Remedy"],
            (
                [f"`{told.code}`", *told[1:]]
                for error in (errors.Unfinished, errors.OutOfTime)
                for told in [Told.of(error.code, _words(error))]
            ),
        ),
        "",
        "Where a file is scored in parts (docs/fan-out.md), a step that nobody needs any more fails, and is not tried",
        "again:",
        "",
        *_table(
            ["Code", "Meaning", "Remedy"],
            ([f"`{told.code}`", *told[1:]] for told in [Told.of(errors.RunEnded.code, _words(errors.RunEnded))]),
        ),
        "",
    ]


def _stores() -> list[str]:
    return [
        "## The store",
        "",
        "Seen in logs and on the command line; a client over HTTP sees 503 `model_unavailable` and its kin instead.",
        "",
        *_table(
            ["Status", "Code", "Meaning", "Remedy"],
            (
                [str(error.status), f"`{told.code}`", told.meaning, told.remedy]
                for error in stores()
                for told in [Told.of(error.code, _words(error))]
            ),
        ),
    ]


def _words(error: type[errors.ServingError]) -> str:
    return error.__dict__.get("__doc__") or ""


def _table(heads: list[str], rows: Iterable[list[str]]) -> list[str]:
    cells = [heads, ["---"] * len(heads), *rows]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in cells]


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
