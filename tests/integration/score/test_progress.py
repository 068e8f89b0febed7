"""The bar on a terminal: what it shows, and that it touches nothing else."""

import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from functions.registry.folder import FolderStore
from tests.conftest import PROJECT
from tests.models import publish_iris

HEADER = b"sepal_length,sepal_width,petal_length,petal_width,note\n"
ROWS = b"".join(b"5.1,3.5,1.4,0.2,%d\n" % row for row in range(200_000))
CODES = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("bar")
    publish_iris(FolderStore(made / "bucket"), twin=True)
    (made / "day.csv").write_bytes(HEADER + ROWS)
    return made


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal: what programs write to it, and the end they write to."""

    theirs: int
    ours: int

    def read(self) -> bytes:
        """Everything, until nobody holds it open any more."""
        os.close(self.theirs)
        seen = b""
        while True:
            try:
                seen += os.read(self.ours, 1 << 16)
            except OSError:
                return seen


@pytest.fixture
def screen() -> Iterator[Screen]:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, 120))
    yield Screen(theirs, ours)
    os.close(ours)


def score(
    folder: Path, *arguments: str, stderr: int, stdin: int | None = None, stdout: int | None = None, path: str = ""
) -> "subprocess.Popen[bytes]":
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS")}
    return subprocess.Popen(
        [sys.executable, "-m", "functions.score", "--model", "bucket", *arguments],
        cwd=folder, env={**environment, "PYTHONPATH": f"{path}:{PROJECT}", "TERM": "xterm"},
        stdin=stdin, stdout=stdout, stderr=stderr,
    )  # fmt: skip


def test_a_bar_shows_bytes_of_all_rate_and_time_left_and_goes_when_it_is_done(folder: Path, screen: Screen) -> None:
    with score(folder, "day.csv", "out.csv", stderr=screen.theirs) as process:
        seen = screen.read()
    assert process.returncode == 0
    shown = CODES.sub(b"", seen).decode()
    assert re.search(r"scoring +━.* [\d.]+/4\.5 MB ([\d.]+ [kM]B/s|\?) (\d:\d\d:\d\d|-:--:--)", shown), shown
    last = seen.rpartition(b"\x1b[2K")[2]  # the line was wiped
    assert re.fullmatch(rb"200000 of 200000 rows scored by iris \S+ to out\.csv in [\d.]+ s\r\n", last), seen[-300:]


def test_the_rows_on_standard_output_are_the_same_with_a_bar(folder: Path, screen: Screen) -> None:
    with score(folder, "day.csv", stdout=subprocess.PIPE, stderr=screen.theirs) as process:
        assert process.stdout is not None
        rows = process.stdout.read()
        assert b"scoring" in screen.read()
    assert rows == HEADER.replace(b"\n", b",prediction\n") + ROWS.replace(b"\n", b",setosa\n")


def test_what_comes_through_a_pipe_has_no_total(folder: Path, screen: Screen) -> None:
    with score(folder, "-", "out.csv", stdin=subprocess.PIPE, stderr=screen.theirs) as process:
        assert process.stdin is not None
        process.stdin.write(HEADER + ROWS)
        process.stdin.close()
        shown = CODES.sub(b"", screen.read()).decode()
    assert process.returncode == 0
    assert re.search(r"[\d.]+/\? MB", shown), shown


def test_without_a_terminal_or_with_rows_on_it_there_is_no_bar(folder: Path, screen: Screen) -> None:
    with score(folder, "day.csv", "out.csv", stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert process.stderr.read().count(b"\n") == 1
    (folder / "two.csv").write_bytes(HEADER + ROWS[:36])
    with score(folder, "two.csv", stdout=screen.theirs, stderr=screen.theirs) as process:
        assert b"scoring" not in screen.read()


def test_without_rich_there_is_no_bar_and_no_word(folder: Path, screen: Screen) -> None:
    (folder / "absent").mkdir(exist_ok=True)
    (folder / "absent" / "rich.py").write_text("raise ImportError\n")
    with score(folder, "day.csv", "out.csv", stderr=screen.theirs, path=str(folder / "absent")) as process:
        seen = screen.read()
    assert (process.returncode, seen.count(b"\n"), b"\x1b" in seen) == (0, 1, False)
