"""What the demo shows and how it is checked: a request, a dropped file, and what must come back; it must not know how
either is answered.
"""

import csv
import io
from collections.abc import Sequence
from typing import Any

SETOSA = [5.1, 3.5, 1.4, 0.2]
REQUEST = {"instances": [SETOSA]}
FILE = "flowers.csv"
BAD_LINE = 5  # physical lines, the header is 1
# Columns in another order than training's, one that the model does not know, numbers written in several ways.
DROPPED = b"""\
petal_width,sepal_length,collector,petal_length,sepal_width
0.2,5.10,"Anderson, E.",1.4,3.5
1.4,7.0,"Fisher ""Ron"" A.",4.7,3.2
2.5,6.3,Anderson,6e0,3.3
wide,5.8,Fisher,5.1,2.7
.3,4.6,,1.4,3.4
1.5,6.4,Anderson,4.5,3.2
2.1,+7.1,Fisher,5.9,3.0
"""


class NotAsShown(Exception):
    """Something came back that should not have."""


def check_answer(answer: dict[str, Any], expected: Sequence[str]) -> None:
    """Labels are the pipeline's own, and probabilities sum to 1. Raises NotAsShown."""
    _same("the predictions", answer["predictions"], list(expected))
    for chances in answer["probabilities"]:
        if abs(sum(chances.values()) - 1) > 1e-9:
            raise NotAsShown(f"the probabilities {chances} do not sum to 1")


def good_rows(names: Sequence[str]) -> list[list[float]]:
    """The features of the rows that can be scored, in the order of `names`."""
    rows = list(csv.DictReader(io.StringIO(DROPPED.decode())))
    del rows[BAD_LINE - 2]
    return [[float(row[name]) for name in names] for row in rows]


def check_results(scored: bytes, rejected: bytes, rows: dict[str, int], expected: Sequence[str]) -> None:
    """Input bytes unchanged, labels the pipeline's own, the bad row rejected with its line and reason.

    Raises NotAsShown.
    """
    lines = DROPPED.splitlines(keepends=True)
    bad = lines.pop(BAD_LINE - 1).rstrip(b"\n")
    scored_lines = scored.splitlines(keepends=True)
    _same("the scored lines", len(scored_lines), len(lines))
    appended = []
    for before, after in zip(lines, scored_lines, strict=True):
        kept = before.rstrip(b"\n")
        if not after.startswith(kept + b",") or not after.endswith(b"\n"):
            raise NotAsShown(f"the input line {before!r} came back as {after!r}")
        appended.append(after[len(kept) + 1 :].rstrip(b"\n").decode())
    _same("the appended labels", appended[1:], list(expected))
    found = list(csv.DictReader(io.StringIO(rejected.decode())))
    _same("the rejected rows", [(row["line"], row["record"].encode()) for row in found], [(str(BAD_LINE), bad)])
    if not found[0]["reason"] or "petal_width" not in found[0]["message"]:
        raise NotAsShown(f"the rejected row does not say what was wrong: {found[0]}")
    counted = {"input": len(lines), "scored": len(lines) - 1, "rejected": 1, "blank": 0}
    _same("the summary's rows", rows, counted)


def _same(what: str, found: object, expected: object) -> None:
    if found != expected:
        raise NotAsShown(f"{what} are {found}, expected {expected}")
