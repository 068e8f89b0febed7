"""The tables of docs/deploy.md: parameters, outputs, what does not go together, costs."""

from collections.abc import Callable

from tests.documents import costs, stack
from tests.documents.marked import DOCS, code, table
from tests.documents.words import told

DOCUMENT = DOCS / "deploy.md"


def parameters() -> str:
    """One table for each group."""
    words = told("parameters", stack.parameters(), "parameter", "when somebody would change its default")
    return "\n".join(
        f"### {group}\n\n" + table(["Parameter", "Default", "What it is", "When to change it"], map(_row(words), names))
        for group, names in stack.groups()
    )


def outputs() -> str:
    rows = []
    for name, given in stack.outputs().items():
        there = stack.condition(given)
        rows.append([code(name), str(given["Description"]) + (f" (Where {there}.)" if there else "")])
    return table(["Output", "What it is"], rows)


def refused() -> str:
    return "".join(f"- {sentence}.\n" for sentence in stack.rules())


PARTS = {"parameters": parameters, "outputs": outputs, "refused": refused, **costs.PARTS}


def _row(words: dict[str, str]) -> Callable[[str], list[str]]:
    def row(name: str) -> list[str]:
        given = stack.parameters()[name]
        takes = stack.takes(given)
        what = f"{str(given['Description']).removesuffix('.')}." + (f" Takes {takes}." if takes else "")
        return [code(name), code(given["Default"]) or "empty", what, words[name]]

    return row
