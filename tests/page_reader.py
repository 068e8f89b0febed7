"""An HTML page as its reader finds it: what is in which section, which tables, which ids. It knows no test.

Strict where browsers are forgiving: an element that is not closed, or closed in the wrong place, is an error.
"""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "wbr"}


def collapsed(text: str) -> str:
    """As a browser shows it: spaces and line ends are one space, other white space stays."""
    return re.sub("[ \t\n\r\f]+", " ", text).strip(" ")


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: "list[Element | str]" = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, HTML's white space as one space."""
        return collapsed("".join(child if isinstance(child, str) else f" {child.text} " for child in self.children))

    def all(self, tag: str) -> "list[Element]":
        """Every element of this tag in it, in the page's order."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                found += ([child] if child.tag == tag else []) + child.all(tag)
        return found

    def everything(self) -> "list[Element]":
        found = [self]
        for child in self.children:
            if isinstance(child, Element):
                found += child.everything()
        return found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> where <{self.open[-1].tag}> is open"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def read(page: bytes) -> Element:
    """The page's tree. Raises AssertionError where an element is not closed in its place."""
    reader = _Reader()
    reader.feed(page.decode("utf-8"))
    reader.close()
    assert reader.open == [reader.root], f"<{reader.open[-1].tag}> is never closed"
    return reader.root


def section(page: Element, name: str) -> Element:
    """The section of this id."""
    found = [one for one in page.all("section") if one.attributes.get("id") == name]
    assert len(found) == 1, f"{len(found)} sections {name!r}"
    return found[0]


def rows(table: Element) -> list[list[str]]:
    """The texts of a table's body, row by row."""
    (body,) = table.all("tbody")
    return [
        [cell.text for cell in row.children if isinstance(cell, Element) and cell.tag in ("th", "td")]
        for row in body.all("tr")
    ]
