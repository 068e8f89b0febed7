"""Tables that are made, inside pages that are written: what stands between two marks is replaced. It makes no table."""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from tests.conftest import PROJECT

DOCS = PROJECT / "docs"
MARKED = re.compile(r"(<!-- made: ([a-z -]+) -->\n).*?(<!-- made end -->)", re.DOTALL)


def rewritten(document: Path, parts: Mapping[str, Callable[[], str]]) -> str:
    """The page with every part as it is now. Raises ValueError where marks and parts are not the same."""
    text = document.read_text(encoding="utf-8")
    there = [mark[2] for mark in MARKED.finditer(text)]
    if sorted(there) != sorted(parts):
        raise ValueError(f"{document.name} has the marks {sorted(there)}, and these are made: {sorted(parts)}")
    return MARKED.sub(lambda mark: f"{mark[1]}{parts[mark[2]]().strip()}\n{mark[3]}", text)


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Markdown; a cell's own bars are escaped and its line ends are spaces."""
    first = list(heads)
    lines = [first, ["---"] * len(first), *(list(row) for row in rows)]
    return "".join("| " + " | ".join(_cell(cell) for cell in line) + " |\n" for line in lines)


def code(text: object) -> str:
    """In the type of a machine; nothing for nothing."""
    return f"`{text}`" if str(text) else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
