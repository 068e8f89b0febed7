"""What a cold start opens, reads and imports, from strace and from Python's own import times. It measures no time.

Both slow the process down, so the starts that are timed run without them.
"""

import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.contestants import Contestant
from benchmarks.environment import Environment

TRACED = "execve,open,openat,read,pread64"
OPENED = re.compile(r"open(?:at)?\(.*\) = \d+<(/[^>]*)>")
MISSED = re.compile(r"open(?:at)?\(.*\) = -1 ENOENT")
READ = re.compile(r"p?read(?:64)?\(\d+<(/[^>]*)>.* = (\d+)")
IMPORT = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\S+)")
NOT_FILES = ("/proc/", "/sys/", "/dev/")


@dataclass(frozen=True, slots=True)
class Opened:
    """files: how many different ones; missed: openings of names that are not there; bytes: by read calls, so without
    the pages of libraries that are mapped."""

    files: int
    missed: int
    bytes: int


def opened(contestant: Contestant, event: bytes) -> Opened:
    """One cold start under strace, up to the first answer."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "strace"
        strace = ["strace", "-f", "-y", "-qq", "-e", f"trace={TRACED}", "-o", str(log)]
        with Environment(_told(contestant, Path("/dev/null"), {}), strace) as running:
            running.start(event)
            running.hang_up()  # a killed strace would lose its last words
        return _counted(log.read_text(errors="replace").splitlines())


def imports(contestant: Contestant, event: bytes) -> dict[str, int]:
    """Microseconds each module's own code took, without what it imports, in one cold start."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "imports"
        with Environment(_told(contestant, log, {"PYTHONPROFILEIMPORTTIME": "1"})) as running:
            running.start(event)
        found = IMPORT.findall(log.read_text(errors="replace"))
        return {name: int(own) for own, name in found}


def _told(contestant: Contestant, errors: Path, environment: dict[str, str]) -> Contestant:
    """The contestant, writing its errors into a file."""
    command = ["sh", "-c", 'exec "$@" 2>"$0"', str(errors), *contestant.command]
    return replace(contestant, command=command, environment=contestant.environment | environment)


def _counted(lines: Iterable[str]) -> Opened:
    files: set[str] = set()
    missed = size = 0
    for line in lines:
        if (match := OPENED.search(line)) and not match[1].startswith(NOT_FILES):
            files.add(match[1])
        elif MISSED.search(line):
            missed += 1
        elif (match := READ.search(line)) and not match[1].startswith(NOT_FILES):
            size += int(match[2])
    return Opened(len(files), missed, size)
