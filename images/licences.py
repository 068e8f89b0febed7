"""Keeps docs/licences.md: which licences the parts of the images have, by the images' bills of materials (images.sbom).

Run as a program with the bills it says which licences the page does not list, and fails then; with --write before them
it writes the page. It knows no image.
"""

import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "licences.md"
NOT_SAID = "not said"
HEAD = """\
# Licences

What the function image and the training image hold beside this project's own code (MIT), and under which licences, as
the packages themselves say; versions are in the bills of materials that `make sbom` writes. A build that brings a
licence which is not listed here fails in CI (`tests/e2e/test_image_contents.py`). Written by `make licences`.

The licences' texts are in the images: Debian's under `/usr/share/doc/<package>/copyright`, those of Python's packages
beside their metadata in `/opt/python`.
"""
SECTIONS = {"pypi": "Python's packages", "deb": "Debian's packages"}
CARRIES = "{}: built in"

Licences = dict[str, dict[str, set[str]]]
"""Kind of package (of SECTIONS) -> package -> its licences."""


def listed_in(bills: Iterator[Mapping[str, Any]]) -> Licences:
    """The licences of every component of these bills; of what a component carries, under a name of its own."""
    found: Licences = {kind: defaultdict(set) for kind in SECTIONS}
    for bill in bills:
        for component in bill["components"]:
            kind = re.match("pkg:([a-z]+)/", component["purl"])[1]  # type: ignore[index]  # images.sbom gives each one
            found[kind][component["name"]] |= names(component)
            for inner in component.get("components", []):
                found[kind][CARRIES.format(component["name"])] |= names(inner)
    return found


def names(component: Mapping[str, Any]) -> set[str]:
    """A component's licences as identifiers, expressions or names."""
    given = component.get("licenses", [])
    said = {one.get("expression") or one["license"].get("id") or one["license"]["name"] for one in given}
    return said or {NOT_SAID}


def page(licences: Licences) -> str:
    """The page's text, packages in order of their names."""
    parts = [HEAD]
    for kind, title in SECTIONS.items():
        rows = [f"| {name} | {'; '.join(sorted(said))} |" for name, said in sorted(licences[kind].items())]
        parts.append("\n".join([f"## {title}", "", "| package | licences |", "| --- | --- |", *rows, ""]))
    return "\n".join(parts)


def listed_on(text: str) -> Licences:
    """What a page lists."""
    found: Licences = {}
    for section in text.split("\n## ")[1:]:
        title, rows = section.split("\n", 1)
        (kind,) = (kind for kind, known in SECTIONS.items() if known == title)
        matches = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", rows, re.MULTILINE)
        found[kind] = {name: set(said.split("; ")) for name, said in matches if name not in ("package", "---")}
    return found


def unlisted(licences: Licences, text: str) -> list[str]:
    """One sentence for each licence that the page with this text does not list for its package."""
    listed = listed_on(text)
    return [
        f"{name}: {licence} is not listed in docs/{PAGE.name}; read it, then: make licences"
        for kind in SECTIONS
        for name, said in sorted(licences[kind].items())
        for licence in sorted(said - listed.get(kind, {}).get(name, set()))
    ]


def main(arguments: list[str]) -> int:
    """Checks the page, or writes it; 1 for licences that it does not list, 2 where there is no bill."""
    write = arguments[:1] == ["--write"]
    paths = arguments[write:]
    if not paths:
        sys.stderr.write("usage: python -m images.licences [--write] <bill.cdx.json> ...\n")
        return 2
    try:
        licences = listed_in(json.loads(Path(path).read_text(encoding="utf-8")) for path in paths)
    except FileNotFoundError as error:
        sys.stderr.write(f"error: there is no {error.filename}; run: make sbom\n")
        return 2
    if write:
        PAGE.write_text(page(licences), encoding="utf-8")
        return 0
    missing = unlisted(licences, PAGE.read_text(encoding="utf-8"))
    sys.stderr.write("".join(f"{line}\n" for line in missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
