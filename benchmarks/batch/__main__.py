"""The command line: `python -m benchmarks.batch cases | scaling | blocks` measures and writes a results file."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.batch import campaign, documents, figures, models, scaling, tables
from benchmarks.batch.cases import CASES
from benchmarks.batch.contestants import PYTHON
from benchmarks.stage import PROJECT

ROUNDS = {"cases": 5, "scaling": 1, "blocks": 9}
BLOCK_ROWS = 600_000


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__)
    parser.add_argument("what", choices=ROUNDS)
    parser.add_argument("--case", action="append", choices=[case.name for case in CASES], help="only this one")
    parser.add_argument("--rounds", type=int, help="how often each contestant has its turn")
    parser.add_argument("--keep", action="store_true", help="print only; leave the results file as it is")
    asked = parser.parse_args()
    if not PYTHON.exists():
        raise SystemExit("the rivals are not installed; run: make rivals-environment")
    rounds = asked.rounds or ROUNDS[asked.what]
    if asked.what == "cases":
        name, found = documents.RESULTS, _cases(asked.case, rounds, kept=asked.keep)
    elif asked.what == "scaling":
        name, found = documents.SCALING, _scaling(rounds)
    else:
        name, found = documents.BLOCKS, _blocks(rounds)
    if not asked.keep:
        path = results.write(name, {"python": _version(), **found})
        sys.stdout.write(f"written: {path}\n")


def _cases(names: list[str] | None, rounds: int, *, kept: bool) -> dict[str, Any]:
    """All of them, or those of `names`, beside what was found of the others before."""
    found: dict[str, Any] = results.read(documents.RESULTS)["cases"] if names and not kept else {}
    with _published() as store:
        for case in CASES:
            if names is None or case.name in names:
                raw = campaign.run_case(case, store, rounds)
                found[case.name] = {**results.now(), "rounds": rounds, **figures.of_case(raw), **raw}
                _show(case.name, found[case.name])
    return {"cases": {case.name: found[case.name] for case in CASES if case.name in found}}


def _scaling(rounds: int) -> dict[str, Any]:
    with _published() as store:
        raw = scaling.run(store, {rows: times * rounds for rows, times in scaling.ROUNDS.items()})
    found = {"scaling": figures.of_scaling(raw), **raw}
    for name, points in found["scaling"].items():
        told = ", ".join(f"{point['rows']:,}: {point['wall_s']} s, {point['peak_mb']} MB" for point in points)
        sys.stdout.write(f"{name}: {told}\n")
    return found


def _blocks(rounds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as folder:
        table = Path(folder) / "block.csv"
        tables.write(table, "flowers", BLOCK_ROWS)
        command = [str(PYTHON), "-m", "benchmarks.batch.blocks", str(table), str(rounds)]
        said = subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.PIPE).stdout
        raw = {"rounds": rounds, "rows": BLOCK_ROWS, "bytes": table.stat().st_size, "raw": json.loads(said)}
    found = {"blocks": figures.of_blocks(raw), **raw}
    for what, each in found["blocks"].items():
        _show(what, {"contestants": each, "ratios": {}})
    return found


@contextmanager
def _published() -> Iterator[Path]:
    """A folder store with every model."""
    with tempfile.TemporaryDirectory(prefix="bench-batch-") as folder:
        store = Path(folder) / "store"
        models.publish(store)
        yield store


def _version() -> str:
    return subprocess.run([PYTHON, "-V"], check=True, capture_output=True, text=True).stdout.split()[1]


def _show(title: str, found: dict[str, Any]) -> None:
    columns = list(next(iter(found["contestants"].values())))
    sys.stdout.write(f"{title:34}{''.join(f'{column:>13.13}' for column in columns)}\n")
    for name, figure in found["contestants"].items():
        sys.stdout.write(f"{name:34}{''.join(f'{figure[column]!s:>13}' for column in columns)}\n")
    for what, ratio in found["ratios"].items():
        sys.stdout.write(f"{what}: {ratio}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
