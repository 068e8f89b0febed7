"""The columns as they were understood, as lines of plain text. It decides nothing."""

from collections import Counter
from collections.abc import Sequence

from training.evidence import ColumnProfile

MOST = 40  # lines; of a wider table those that say something, and how many others there are
LONGEST_NAME = 40


def lines_of(columns: Sequence[ColumnProfile]) -> list[str]:
    """A heading and a line for each column."""
    told = list(columns) if len(columns) <= MOST else _remarkable(columns)
    head = ("column", "kind", "role", "missing", "distinct", "")
    rows = [head, *(_row(column) for column in told)]
    widths = [max(len(row[at]) for row in rows) for at in range(5)]
    lines = []
    for row in rows:
        words = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[3:5], widths[3:], strict=True)]
        lines.append("  ".join([*words, *numbers, row[5]]).rstrip())
    others = Counter((one.kind, one.role) for one in columns) - Counter((one.kind, one.role) for one in told)
    if others:
        kinds = ", ".join(f"{count} {role} {kind}".rstrip() for (kind, role), count in others.items())
        lines.append(f"and {sum(others.values())} more: {kinds}")
    return lines


def _remarkable(columns: Sequence[ColumnProfile]) -> list[ColumnProfile]:
    """The first ones, and of the others those about which there is something to say, in the file's order."""
    chosen = {at for at, column in enumerate(columns) if column.role != "feature" or column.missing}
    chosen = set(sorted(chosen)[: MOST - MOST // 4]) | set(range(MOST // 4))
    return [columns[at] for at in sorted(chosen)]


def _row(column: ColumnProfile) -> tuple[str, ...]:
    name = column.name if len(column.name) <= LONGEST_NAME else column.name[: LONGEST_NAME - 1] + "…"
    if not column.kind:  # it was not read
        return name, "", column.role, "", "", column.reason
    return name, column.kind, column.role, str(column.missing), str(column.distinct), column.reason
