"""docs/rooms.svg: the rooms of functions/ and the way arrows may point, off the contract that import-linter checks."""

import tomllib
from collections.abc import Iterator
from typing import Any

from tests.conftest import PROJECT
from tests.documents.drawing import Arrow, Box, picture
from tests.documents.marked import DOCS

PICTURE = DOCS / "rooms.svg"
CONTRACT = "Inside functions, arrows point inwards"
WIDTH, ROW, HEIGHT, GAP, LEFT = 960, 62, 40, 12, 24
PURE = ("inference", "registry")


def text() -> str:
    """The picture's file."""
    rows = layers()
    boxes = [box for place, row in enumerate(rows) for box in _row(place, row, _kind(rows, place))]
    down = (WIDTH - 40.0, 20.0), (WIDTH - 40.0, len(rows) * ROW - 4.0)
    label = "The rooms of functions/, doors on top, errors at the bottom; each may import what lies below it."
    arrow = Arrow(*down, ("may", "import"), upright=True, shift=(0.0, 0.0))
    return picture(WIDTH, len(rows) * ROW + 16, label, boxes, [arrow])


def layers() -> list[list[str]]:
    """From the outermost to the innermost; those of one layer do not import each other."""
    project: dict[str, Any] = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (contract,) = (one for one in contracts if one["name"] == CONTRACT)
    return [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]


def _kind(rows: list[list[str]], place: int) -> str:
    """The doors are what stands on wiring."""
    if rows[place + 1 : place + 2] == [["wiring"]]:
        return "lambda"
    return "store" if rows[place] == list(PURE) else "box"


def _row(place: int, names: list[str], kind: str) -> Iterator[Box]:
    width = (WIDTH - LEFT - 100 - GAP * (len(names) - 1)) / len(names)
    for number, name in enumerate(names):
        yield Box(LEFT + number * (width + GAP), 12 + place * ROW, width, HEIGHT, kind, name)
