"""What a person wrote about each thing that a table lists: docs/words/*.toml. It knows neither tables nor pages.

A thing without words and words without a thing are both refused, with what is to be written or taken out.
"""

import tomllib
from collections.abc import Iterable
from typing import Any

from tests.documents.marked import DOCS

FOLDER = DOCS / "words"


class WordsDiffer(LookupError):
    """What is written is not what there is. The message says what to write, or to take out, and where."""


def told(file: str, things: Iterable[str], what: str, write: str, part: str | None = None) -> dict[str, Any]:
    """The words of `file`.toml (of its table `part`), which must be about these things and no others.

    what: what one of them is called. write: what to say of it. Raises WordsDiffer.
    """
    path = FOLDER / f"{file}.toml"
    found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    if part is not None:
        found = found[part]
    there = list(things)
    place = path.relative_to(DOCS.parent)
    within = f", under [{part}]" if part else ""
    missing = [name for name in there if name not in found]
    if missing:
        raise WordsDiffer(f"{place} has no words about the {what} {', '.join(missing)}{within}; write {write}")
    strange = [name for name in found if name not in there]
    if strange:
        raise WordsDiffer(f"{place} tells of the {what} {', '.join(strange)}{within}, which is not there; take it out")
    return found
