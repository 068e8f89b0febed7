"""A table as Markdown, and the line beneath it. It knows no figure."""

from typing import Any


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *("---:" for _ in head[1:])], *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def where(found: dict[str, Any], how: str) -> str:
    """`how` it was measured, with the machine and the day of a results file, and its Python where the file has one."""
    machine = found["machine"]
    on = f"{machine['processors']} processors ({machine['processor']})"
    python = f", Python {found['python']}" if "python" in found else ""
    return f"\n{how}{python}, on {on}, {found['at'][:10]}.\n"
