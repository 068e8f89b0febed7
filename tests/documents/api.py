"""docs/api.md: its commands are typed into a shell, by curl against a real gateway, and what comes back is put below.

The document is written by hand but for the answers: below each `sh` block stands an `http` block, which `make docs`
fills and the test compares.
"""

import os
import re
import subprocess
from typing import NamedTuple

from tests.conftest import PROJECT
from tests.serving import Served

DOCUMENT = PROJECT / "docs" / "api.md"
PAIR = re.compile(r"^```sh\n(?P<command>.*?)^```\n\n```http\n(?P<answer>.*?)^```$", re.MULTILINE | re.DOTALL)
URL = "http://localhost:8080"
PAGE = "https://app.example"  # which the gateway lets read its answers
SHOWN = ("content-type", "allow", "retry-after", "vary", "content-encoding", "accept-encoding")
LONGEST = 700  # characters of a body that are shown
NUMBER = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")


class Exchange(NamedTuple):
    """A command of the document, and the answer that stands below it."""

    command: str
    answer: str


def exchanges() -> list[Exchange]:
    return [Exchange(found["command"], found["answer"]) for found in PAIR.finditer(DOCUMENT.read_text())]


def rewritten(served: Served) -> str:
    """The document with the answers of now."""
    return PAIR.sub(
        lambda found: f"```sh\n{found['command']}```\n\n```http\n{answer(found['command'], served)}```",
        DOCUMENT.read_text(),
    )


def answer(command: str, served: Served) -> str:
    """Status, the headers that matter, and the body of what a command gets."""
    typed = command.replace(URL, served.url).replace("curl -s", "curl -s -i", 1)
    clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    ended = subprocess.run(["bash", "-c", typed], capture_output=True, cwd=PROJECT, env=clean, check=True, timeout=60)
    head, _, body = ended.stdout.decode().replace(served.url, URL).partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    headers = [line.partition(": ")[::2] for line in lines]
    shown = [f"{name.lower()}: {value}" for name, value in headers if _is_shown(name.lower())]
    body = re.sub(r'"checked":"[^"]*"', '"checked":"2026-11-23T09:30:12Z"', body)
    if len(body) > LONGEST:
        body = body[:LONGEST] + "..."
    return "\n".join([status, *shown, *(["", body.rstrip("\n")] if body else []), ""])


def steady(text: str) -> str:
    """Numbers as far as any processor computes them alike."""
    return NUMBER.sub(lambda found: f"{float(found[0]):.6g}", text)


def _is_shown(header: str) -> bool:
    return header in SHOWN or header.startswith("access-control-")
