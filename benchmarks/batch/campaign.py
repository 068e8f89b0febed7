"""Every contestant scores the same file in every round, in turn, so that noise meets all of them alike.

Each run is a whole process, measured from its spawn to its end. Each has scored a short file before, so that all find
their programs and libraries in the page cache, and the input is read once before every run, so that it is there too.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.batch import tables
from benchmarks.batch.cases import Case
from benchmarks.batch.compare import Outcome, digest, outcome
from benchmarks.batch.contestants import SEED, Contestant, contestants, surroundings
from benchmarks.batch.places import BUCKET, Place, place
from benchmarks.stage import PROJECT

METER = Path(__file__).with_name("meter.py")
SHORT = 1000
MEBIBYTE = 1024 * 1024


class ContestantFailed(Exception):
    """It ended with an error, or its output is not the file that was asked for."""


def run_case(case: Case, store: Path, rounds: int) -> dict[str, Any]:
    """`{"rows", "bytes", "columns", "raw": {contestant: lists over the rounds, and its outcome}}`.

    Raises ContestantFailed.
    """
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as scratch:
        folder = Path(scratch)
        table, short = folder / "table.csv", folder / "short.csv"
        tables.write(table, case.kind, case.rows)
        tables.write(short, case.kind, min(SHORT, case.rows))
        with place(_made(folder / "place"), in_minio=case.in_minio) as where:
            everyone = contestants(store, case.model, case.contestants, BUCKET)
            _rehearse(where, _packed(short) if case.packed else short, everyone)
            raw = _rounds(where, table, _packed(table) if case.packed else table, everyone, rounds)
        size, columns = table.stat().st_size, len(tables.KINDS[case.kind][0])
    _agreed(raw, case.rows)
    return {"kind": case.kind, "rows": case.rows, "columns": columns, "bytes": size, "raw": raw}


def once(contestant: Contestant, where: Place, folder: Path) -> dict[str, float]:
    """One run: seconds, processor_seconds, peak_bytes. Raises ContestantFailed with its last words."""
    figures, errors = folder / "figures.json", folder / "errors"
    command = [sys.executable, "-I", "-S", str(METER), str(figures), *contestant.command(where.source, where.target)]
    environment = surroundings() | where.environment | dict(contestant.environment)
    with errors.open("wb") as file:
        ended = subprocess.run(
            command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL, stderr=file, check=False
        )
    if ended.returncode != 0:
        raise ContestantFailed(f"{contestant.name} failed: {errors.read_text(errors='replace')[-2000:]}")
    found: dict[str, float] = json.loads(figures.read_text())
    return found


def _rehearse(where: Place, short: Path, everyone: Iterable[Contestant]) -> None:
    where.bring(short)
    for contestant in everyone:
        once(contestant, where, short.parent)
        where.clear()


def _packed(table: Path) -> Path:
    """The same beside it, by gzip."""
    path = table.with_name(f"{table.name}.gz")
    with table.open("rb") as plain, gzip.open(path, "wb", compresslevel=6) as packed:
        shutil.copyfileobj(plain, packed, MEBIBYTE)
    return path


def _rounds(where: Place, table: Path, brought: Path, everyone: Iterable[Contestant], rounds: int) -> dict[str, Any]:
    where.bring(brought)
    raw: dict[str, dict[str, Any]] = {each.name: {} for each in everyone}
    outcomes: dict[str, Outcome] = {}  # by digest: two that made the same bytes are compared once
    for _ in range(rounds):
        for contestant in everyone:
            _quieten(brought)
            took = once(contestant, where, table.parent)
            own = raw[contestant.name]
            for name, figure in took.items():
                own.setdefault(name, []).append(figure)
            made = where.fetch()
            mark = digest(made)
            if mark not in outcomes:
                outcomes[mark] = outcome(table, made)
            own.setdefault("outcomes", []).append(outcomes[mark])
            where.clear()
    return raw


def _quieten(table: Path) -> None:
    """Nothing is left to be written for whoever came before, and the input is in the page cache."""
    os.sync()
    with table.open("rb") as file:
        while file.read(MEBIBYTE):
            pass


def _agreed(raw: dict[str, Any], rows: int) -> None:
    """Puts one outcome in the place of those of the rounds. Raises ContestantFailed: nobody is quick by being wrong."""
    for name, own in raw.items():
        first, *others = own.pop("outcomes")
        if any(other != first for other in others):
            raise ContestantFailed(f"{name} did not make the same file twice")
        if first.rows != rows:
            raise ContestantFailed(f"{name} made {first.rows} rows of {rows}")
        own["outcome"] = first
    reference = raw[SEED]["outcome"].predictions if SEED in raw else None
    for own in raw.values():
        found: Outcome = own.pop("outcome")
        agrees = None if reference is None else found.predictions == reference
        own |= {"identical": found.identical, "as_the_seed_predicts": agrees}


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
