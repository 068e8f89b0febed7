"""How a command tells what it found: JSON for machines, a table on a terminal, aligned text elsewhere."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from training.progress import Narrator


def as_json(found: object) -> None:
    """One JSON document on standard output. `found`: msgspec structs, dictionaries, lists, texts, numbers."""
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())  # noqa: T201 # what was asked for


def lines(told: Sequence[str]) -> None:
    narrator = Narrator()
    for line in told:
        narrator.say(line)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """One line for each row under the columns' names; nothing is cut, and nothing in it is markup."""
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    console = Console()
    if console.is_terminal:
        drawn = Table(*columns, box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for row in rows:
            drawn.add_row(*map(escape, row))
        console.width = max(console.width, sum(widths) + 2 * len(widths))
        console.print(drawn, highlight=False, crop=False, soft_wrap=True)
        return
    for row in (columns, *rows):
        lines(["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()])
