"""The command line as a process, and a file for it with what comes of it. It knows no test."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import PROJECT
from tests.models import VERSION

HEADER = b"sepal_length,sepal_width,petal_length,petal_width\n"
ROWS = b"5.1,3.5,1.4,0.2\n6.3,2.5,6.0,2.5\n"
SCORED = (
    b"sepal_length,sepal_width,petal_length,petal_width,prediction\n5.1,3.5,1.4,0.2,setosa\n6.3,2.5,6.0,2.5,virginica\n"
)
BAD = b"x\n"
REJECTED = b'line,reason,message,record\n4,ragged_row,"found 1 cell, expected 4","x"\n'
MODEL = f"iris {VERSION}"


def command(*arguments: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """The command as a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "functions.score", *arguments],
        input=data,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )


def shell(script: str) -> subprocess.CompletedProcess[bytes]:
    """Lines of a shell, in which `score` is the command with its model. What waits for ever fails."""
    function = f'score() {{ {sys.executable} -m functions.score --model bucket "$@"; }}\n'
    return subprocess.run(
        ["bash", "-c", function + script],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=120, env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )  # fmt: skip


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir() if path.name != "bucket")
