"""A page's commands and outputs, by section, so that tests run what a reader would type; the README's unless told."""

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the heading it stands under, its language, its text."""

    heading: str
    language: str
    text: str


def blocks(page: Path = README) -> list[Block]:
    found = []
    heading = ""
    for part in re.split(r"^(## [^\n]+$|```.*?^```$)", page.read_text(), flags=re.MULTILINE | re.DOTALL):
        if part.startswith("## "):
            heading = part[3:].strip()
        elif part.startswith("```"):
            language, _, text = part[3:-3].partition("\n")
            found.append(Block(heading, language, text))
    return found


def commands(heading: str, page: Path = README) -> list[str]:
    """The shell commands under a heading, in order, continuation lines joined."""
    shell = "".join(block.text for block in blocks(page) if block.heading == heading and block.language == "sh")
    return [line for line in shell.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


def outputs(heading: str, page: Path = README) -> list[str]:
    """The outputs shown under a heading, in order."""
    return [block.text for block in blocks(page) if block.heading == heading and block.language in ("text", "json")]
