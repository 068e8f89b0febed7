"""What a page has its reader type: its shell blocks, taken apart into commands. It runs and judges none.

A block whose first line is `# on AWS` needs an account; every other one can be typed here.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INNER = re.compile(r"\$\(((?:[^()\"']|'[^']*'|\"[^\"]*\"|\([^()]*\))*)\)")
MARK = "# on AWS\n"
BETWEEN = {"|", "||", "&&", ";", "&", "(", ")"}
BEFORE = {"eval", "exec", "do", "then", "!", "time", "until", "while", "if"}


class Shell(NamedTuple):
    """One block of shell commands."""

    page: str
    text: str
    on_aws: bool


def blocks(page: Path, language: str = "sh") -> list[Shell]:
    """The page's blocks of a language, those in lists too, without their indentation."""
    found = []
    for indent, kind, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == language:
            plain = "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))
            found.append(Shell(page.name, plain, plain.startswith(MARK)))
    return found


def commands(text: str) -> Iterator[list[str]]:
    """Every command as its words, those within $(...) too; assignments in front, and what is redirected, left out."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip().startswith("#"):
            continue
        for inner in INNER.findall(line):
            yield from commands(inner)
        words: list[str] = []
        for word in [*_words(INNER.sub("INNER", line)), ";"]:
            if word in BETWEEN:
                if words:
                    yield words
                words = []
            elif words or not (re.match(r"^[A-Za-z_]+=", word) or word in BEFORE or word == "export"):
                words.append(word)


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;()<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)
