"""The tables of whole runs for the documents, and the chart's state, from the results files. It measures nothing."""

import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.batch.cases import CASES
from benchmarks.batch.contestants import DOOR, PYTHON, SCORE, SEED
from benchmarks.batch.figures import OURS
from benchmarks.batch.names import in_documents
from benchmarks.markdown import table, where
from benchmarks.stage import PROJECT

RESULTS, SCALING, BLOCKS = "batch", "batch-scaling", "batch-parsers"
CHART = PROJECT / "docs" / "batch-scaling.svg"
BUDGETED = {"flowers": (SCORE, "score, disk to disk"), "minio": (DOOR, "batch, bucket to bucket")}
"""By case: who of ours is held against the budget, and what the row is called. The scaling is of the first."""
FASTER, MOST_MB = 12.0, 250.0

COLUMNS = {
    "wall_s": "wall, s",
    "processor_s": "processor, s",
    "peak_mb": "peak memory, MB",
    "rows_per_s": "rows a second",
    "mb_per_s": "MB a second",
    "identical": "input's bytes kept",
    "as_the_seed_predicts": "predicts as pandas",
}
PARTS = {"mb_per_s": "MB a second", "rows_per_s": "rows a second", "exact": "exact", "installed_mb": "installed, MB"}


def budgets() -> list[list[str]]:
    """Rows of the table of budgets: what, beside what, found, target, reached. A peak is of the rows that were run."""
    cases = results.read(RESULTS)["cases"]
    scaled = results.read(SCALING)["scaling"][SCORE]
    kept = all(own["identical"] for case in cases.values() for own in _ours(case))
    first, *_ = BUDGETED
    speed, memory = [], []
    for name, (who, what) in BUDGETED.items():
        ratio = cases[name]["ratios"][f"{SEED} to {who}"]
        peaks = [(cases[name]["rows"], own["peak_mb"]) for own in _ours(cases[name])]
        if name == first:
            peaks += [(point["rows"], point["peak_mb"]) for point in scaled]
        most, peak = max(rows for rows, _ in peaks), max(peak for _, peak in peaks)
        speed.append(
            [
                f"{what}, {cases[name]['rows'] / 1e6:g} million rows",
                in_documents(SEED),
                f"{ratio:.1f} times faster",
                f"at least {FASTER:.0f} times faster",
                _yes(ratio >= FASTER),
            ]
        )
        up_to = f"up to {most / 1e6:g}" if len({rows for rows, _ in peaks}) > 1 else f"{most / 1e6:g}"
        of_what = f"{what}, {up_to} million rows, memory"
        memory.append([of_what, "", f"{peak} MB", f"at most {MOST_MB:.0f} MB", _yes(peak <= MOST_MB)])
    return [*speed, *memory, ["every file, the input's bytes", "", "kept" if kept else "changed", "kept", _yes(kept)]]


def tables() -> dict[str, Callable[[], str]]:
    """By the name in a document's mark."""
    own = {f"batch_{case.name}": _of_case(case.name) for case in CASES}
    return own | {"batch_scaling": _scaling, "batch_parse": _blocks("parse"), "batch_append": _blocks("append")}


def chart_is_outdated() -> bool:
    """Whether the chart was drawn from other figures than those of the results file."""
    marked = re.search(r"<dc:source>([0-9a-f]+)<", CHART.read_text()) if CHART.exists() else None
    return marked is None or marked[1] != _mark()


def draw_chart() -> None:
    """Raises SystemExit where the rivals' Python, which has the plotting library, is not there."""
    if not PYTHON.exists():
        raise SystemExit("the chart is drawn by the rivals' Python; run: make rivals-environment")
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "scaling.json"
        given.write_text(json.dumps(_scaling_figures()))
        command = [str(PYTHON), "-m", "benchmarks.batch.chart", str(given), str(CHART), _mark()]
        subprocess.run(command, cwd=PROJECT, check=True)


def _scaling_figures() -> dict[str, Any]:
    return {"scaling": results.read(SCALING)["scaling"]}


def _mark() -> str:
    return hashlib.sha256(json.dumps(_scaling_figures(), sort_keys=True).encode()).hexdigest()


def _ours(case: dict[str, Any]) -> list[dict[str, Any]]:
    return [own for name, own in case["contestants"].items() if name in OURS]


def _of_case(name: str) -> Callable[[], str]:
    def made() -> str:
        found = results.read(RESULTS)
        case = found["cases"][name]
        rows = [
            [in_documents(who), *(_told(own[column]) for column in COLUMNS)] for who, own in case["contestants"].items()
        ]
        head = f"{case['rows']:,} rows of {case['columns']} columns, {case['bytes'] / 1e6:.0f} MB"
        return table([head, *COLUMNS.values()], rows) + where({**found, **case}, f"{case['rounds']} rounds")

    return made


def _scaling() -> str:
    found = results.read(SCALING)
    sizes = sorted({point["rows"] for points in found["scaling"].values() for point in points})
    rows = []
    for name, points in found["scaling"].items():
        by_rows = {point["rows"]: f"{point['wall_s']} s, {point['peak_mb']:.0f} MB" for point in points}
        rows.append([in_documents(name), *(by_rows.get(size, "not run") for size in sizes)])
    return table(["rows", *(f"{size:,}" for size in sizes)], rows) + where(found, "Medians of wall time, most memory")


def _blocks(what: str) -> Callable[[], str]:
    def made() -> str:
        found = results.read(BLOCKS)
        rows = [[name, *(_told(own[column]) for column in PARTS)] for name, own in found["blocks"][what].items()]
        size = f"{found['rows']:,} rows, {found['bytes'] / 1e6:.0f} MB"
        return table([size, *PARTS.values()], rows) + where(found, f"{found['rounds']} rounds")

    return made


def _told(value: Any) -> str:
    if isinstance(value, bool):
        return _yes(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _yes(value: bool) -> str:
    return "yes" if value else "no"
