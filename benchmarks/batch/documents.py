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
from benchmarks.batch.contestants import PYTHON, SEED
from benchmarks.batch.figures import OURS
from benchmarks.markdown import table, where
from benchmarks.stage import PROJECT

RESULTS, SCALING, BLOCKS = "batch", "batch-scaling", "batch-parsers"
CHART = PROJECT / "docs" / "batch-scaling.svg"
HEADLINE = "flowers"
FASTER, MOST_MB = 12.0, 250.0

COLUMNS = {
    "wall_s": "wall, s",
    "processor_s": "processor, s",
    "peak_mb": "peak memory, MB",
    "rows_per_s": "rows a second",
    "mb_per_s": "MB a second",
    "identical": "input's bytes kept",
    "as_the_seed_predicts": "predicts as the seed",
}
PARTS = {"mb_per_s": "MB a second", "rows_per_s": "rows a second", "exact": "exact", "installed_mb": "installed, MB"}


def budgets() -> list[list[str]]:
    """Rows of the table of budgets: what, beside what, found, target, reached."""
    cases = results.read(RESULTS)["cases"]
    ratio = max(value for name, value in cases[HEADLINE]["ratios"].items() if name.startswith(f"{SEED} to "))
    scaled = results.read(SCALING)["scaling"]["score"]
    ours = [own for case in cases.values() for name, own in case["contestants"].items() if name in OURS]
    peak = max(
        [own["peak_mb"] for case in _of_the_budget(cases) for own in case] + [point["peak_mb"] for point in scaled]
    )
    largest = max(point["rows"] for point in scaled)
    kept = all(own["identical"] for own in ours)
    what = f"batch, {cases[HEADLINE]['rows'] / 1e6:g} million rows"
    faster, memory = f"at least {FASTER:.0f} times faster", f"batch, up to {largest / 1e6:g} million rows, memory"
    return [
        [what, "the seed's way", f"{ratio:.1f} times faster", faster, _yes(ratio >= FASTER)],
        [memory, "", f"{peak} MB", f"at most {MOST_MB:.0f} MB", _yes(peak <= MOST_MB)],
        ["batch, the input's bytes", "", "kept" if kept else "changed", "kept", _yes(kept)],
    ]


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


def _of_the_budget(cases: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Ours on the files of the budget: four features and an id, on disk and in MinIO."""
    return [[own for name, own in cases[case]["contestants"].items() if name in OURS] for case in (HEADLINE, "minio")]


def _of_case(name: str) -> Callable[[], str]:
    def made() -> str:
        found = results.read(RESULTS)
        case = found["cases"][name]
        rows = [[who, *(_told(own[column]) for column in COLUMNS)] for who, own in case["contestants"].items()]
        head = f"{case['rows']:,} rows of {case['columns']} columns, {case['bytes'] / 1e6:.0f} MB"
        return table([head, *COLUMNS.values()], rows) + where({**found, **case}, f"{case['rounds']} rounds")

    return made


def _scaling() -> str:
    found = results.read(SCALING)
    sizes = sorted({point["rows"] for points in found["scaling"].values() for point in points})
    rows = []
    for name, points in found["scaling"].items():
        by_rows = {point["rows"]: f"{point['wall_s']} s, {point['peak_mb']:.0f} MB" for point in points}
        rows.append([name, *(by_rows.get(size, "not run") for size in sizes)])
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
