"""docs/batch.md: its commands are typed into a shell, and what they print is put below them; its summary is a real one.

The document is written by hand but for these blocks, which `make docs` fills and the test compares.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from functions import loader
from functions.errors import DropRefused
from functions.registry.folder import FolderStore
from functions.scoring.loop import Options
from functions.scoring.models import Models
from functions.scoring.pace import Pace
from functions.scoring.worker import Worker
from tests.conftest import PROJECT

DOCUMENT = PROJECT / "docs" / "batch.md"
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
THREE_ROWS = b"sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n8.4,3.1,6.9,2.6\n5.1,3.5,wide,0.2\n"
LEFT_OUT = ("AWS_", "MODEL_", "DATA_", "BATCH_", "PYTHON")
STEADY = (
    (r"\d{8}T\d{6}Z-[0-9a-f]{8}", "20261123T093011Z-3cda37da"),
    (r"sha256:[0-9a-f]{12}", "sha256:0f1e2d3c4b5a"),
    (r"SHA-256 [0-9a-f]{64}", "SHA-256 " + "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2),
    (r"in \d+\.\d s$", "in 0.2 s"),
    (r'"(etag|last_modified|version_id|started)": "[^"]*"', r'"\1": "..."'),
    (r'"seconds": [\d.]+', '"seconds": 0.016'),
    (r"(\d\.\d{6})\d+", r"\1"),  # as far as any processor computes alike
)


class Block(NamedTuple):
    """One fenced block of the document, and where it stands in it."""

    language: str
    text: str
    start: int
    end: int


def blocks() -> list[Block]:
    found = BLOCK.finditer(DOCUMENT.read_text())
    return [Block(one["language"], one["text"], one.start("text"), one.end("text")) for one in found]


def shown() -> list[str]:
    """What stands in the blocks that are made, in order."""
    return [block.text for block in blocks() if block.language != "sh"]


def made() -> list[str]:
    """What is to stand there: the output of the commands before each, a summary, the refusal of a file."""
    found: list[str] = []
    with _folder() as folder:
        for block, after in zip(blocks(), [*blocks()[1:], None], strict=True):
            if block.language == "sh":
                assert after is not None, "no output stands below the last commands"
                assert after.language == "text", f"no output stands below {block.text}"
                found.append(steady(_typed(block.text, folder)))
        summary = steady(_summary(folder))
    return [summary, *found, too_large(20_000_000_000, 10_000_000, 900.0)]


def rewritten() -> str:
    """The document with the outputs of now."""
    text, replaced = DOCUMENT.read_text(), made()
    given = [block for block in blocks() if block.language != "sh"]
    for block, output in reversed(list(zip(given, replaced, strict=True))):
        text = text[: block.start] + output + text[block.end :]
    return text


def steady(text: str) -> str:
    """Without what differs from run to run."""
    for pattern, word in STEADY:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that looks as the project does to whoever types these commands in it."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "data").mkdir()
        shutil.copy(PROJECT / "data" / "iris.csv", folder / "data")
        (folder / ".venv").symlink_to(PROJECT / ".venv")
        for room in ("functions", "training"):
            (folder / room).symlink_to(PROJECT / room)
        yield folder


def _typed(commands: str, folder: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(LEFT_OUT)}
    ended = subprocess.run(
        ["bash", "-euc", commands], cwd=folder, env=clean, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=120,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout
    return ended.stdout


def _summary(folder: Path) -> str:
    """Of three rows, dropped into the bucket whose model the commands trained."""
    bucket = FolderStore(folder / "bucket")
    bucket.put("incoming/day.csv", THREE_ROWS)
    options = Options(1024 * 1024, None, probabilities=False)
    Worker(bucket, Models(bucket, loader.Reference("iris")), options, 0.5).score("incoming/day.csv")
    return bucket.get("scored/day.csv.summary.json").body.decode()


def too_large(size: int, rate: int, whole: float) -> str:
    """What is said of a file of so many bytes, at so many bytes a second, in a function of so many seconds."""
    now = 0.0
    pace = Pace(size, lambda: whole - now, whole, lambda: now)
    for second in range(60):
        now = float(second)
        try:
            pace.check(rate * second)
        except DropRefused as error:
            return error.message + "\n"
    raise AssertionError("it would be scored")
