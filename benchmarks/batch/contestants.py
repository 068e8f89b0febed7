"""Who scores a file: a command from a source to a target, each a process of the same Python. It knows no figure."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.batch.models import version_folder
from benchmarks.stage import PROJECT

PYTHON = PROJECT / ".venv-rivals" / "bin" / "python"
"""Ours and theirs: the functions' packages and the rivals' lie in one environment, from one lock."""
RIVALS = {"seed": "seed", "pandas in chunks": "chunks", "polars": "by_polars", "pyarrow": "by_pyarrow"}
"""Program under `benchmarks/rivals/scoring` by name."""
SCORE, DOOR, BY_JOBLIB, SEED = "score", "batch", "score by joblib", "seed"


@dataclass(frozen=True, slots=True)
class Contestant:
    """`program`: what runs, and after it the input and the output; a drop's output follows from its input."""

    name: str
    program: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()
    is_door: bool = False

    def command(self, source: str, target: str) -> list[str]:
        if self.is_door:
            bucket, _, key = source.removeprefix("s3://").partition("/")
            return [*self.program, bucket, key]
        return [*self.program, source, target]


def contestants(store: Path, model: str, names: Sequence[str], bucket: str | None = None) -> list[Contestant]:
    """Those of `names`, over a model of the store; `bucket`: where the door's drops lie."""
    return [_contestant(store, model, name, bucket) for name in names]


def surroundings() -> dict[str, str]:
    """The environment that all share: nothing that changes how fast anything is."""
    return {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "TZ") if name in os.environ}


def _contestant(store: Path, model: str, name: str, bucket: str | None) -> Contestant:
    python = str(PYTHON)
    if name in (SCORE, BY_JOBLIB):
        served = model if name == SCORE else f"{model}-by-joblib"
        return Contestant(name, (python, "-m", "functions.score", "--model", str(store), "--name", served))
    if name == DOOR:
        given = {"MODEL_STORE": f"file://{store}", "MODEL_NAME": model, "DATA_STORE": f"s3://{bucket}"}
        return Contestant(name, (python, "-m", "benchmarks.batch.drop"), tuple(given.items()), is_door=True)
    program = PROJECT / "benchmarks" / "rivals" / "scoring" / f"{RIVALS[name]}.py"
    return Contestant(name, (python, str(program), str(version_folder(store, model))))
