"""The README's commands and outputs, by section, so that tests run what a reader would type."""

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


def blocks() -> list[Block]:
    found = []
    heading = ""
    for part in re.split(r"^(## [^\n]+$|```.*?^```$)", README.read_text(), flags=re.MULTILINE | re.DOTALL):
        if part.startswith("## "):
            heading = part[3:].strip()
        elif part.startswith("```"):
            language, _, text = part[3:-3].partition("\n")
            found.append(Block(heading, language, text))
    return found


def commands(heading: str) -> list[str]:
    """The shell commands under a heading, in order, continuation lines joined."""
    shell = "".join(block.text for block in blocks() if block.heading == heading and block.language == "sh")
    return [line for line in shell.replace("\\\n", " ").splitlines() if line and not line.startswith("#")]


def outputs(heading: str) -> list[str]:
    """The outputs shown under a heading, in order."""
    return [block.text for block in blocks() if block.heading == heading and block.language in ("text", "json")]
