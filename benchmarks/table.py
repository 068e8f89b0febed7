"""The tables of the documents, made from the results files. It measures nothing and rounds nothing anew.

A document holds a pair of marks for each table; what stands between them is replaced.
"""

import re
from collections.abc import Callable
from pathlib import Path

from benchmarks import results
from benchmarks.batch import documents as batch
from benchmarks.markdown import table, where
from benchmarks.stage import PROJECT

DOCUMENTS = [PROJECT / "README.md", PROJECT / "docs" / "benchmarks.md"]
MARKED = re.compile(r"(<!-- benchmarks: (\w+) -->\n).*?(<!-- benchmarks end -->)", re.DOTALL)

BUDGETS = [
    ("cold start", "the plain handler", "cold", "plain to predict", "at least 20 times faster", 20.0),
    ("cold start", "a handler that does nothing", "cold", "predict to empty", "at most 1.8 times as long", 1.8),
    ("warm request", "a handler that does nothing", "warm", "predict to empty", "at most 1.1 times as long", 1.1),
    ("memory, warm", "the plain handler", "warm", "memory, predict to plain", "at most 0.3 of it", 0.3),
]
"""What, compared with what, in which campaign, by which ratio, and the target in words and as a number."""
MOST_MEMORY_MB = 50.0

COLD = {
    "median_ms": "median, ms",
    "worst_ms": "worst, ms",
    "processor_ms": "processor, ms",
    "import_ms": "imports, ms",
    "modules": "modules",
    "files": "files opened",
    "read_mb": "read, MB",
    "rss_mb": "memory, MB",
}
WARM = {"p50_us": "p50, µs", "p99_us": "p99, µs", "requests_per_second": "requests a second", "rss_mb": "memory, MB"}
IMAGES = {
    "mb": "size, MB",
    "to_plain": "of the plain one",
    "files": "files touched",
    "pages_mb": "their touched pages, MB",
    "pages_share": "of the image",
    "blocks": "512 KiB blocks",
    "ahead_blocks": "with read-ahead",
}
PARTS = {"own_ms": "ms", "until_ms": "ms in all"}


def write() -> list[Path]:
    """Writes the tables and the chart anew where they are others; gives the files that changed."""
    changed = _outdated_tables()
    for document in changed:
        document.write_text(_with_tables(document.read_text()))
    if not batch.chart_is_outdated():
        return changed
    batch.draw_chart()
    return [*changed, batch.CHART]


def outdated() -> list[Path]:
    """The files that do not show what the results files say."""
    return [*_outdated_tables(), *([batch.CHART] if batch.chart_is_outdated() else [])]


def _outdated_tables() -> list[Path]:
    return [document for document in DOCUMENTS if _with_tables(document.read_text()) != document.read_text()]


def _with_tables(text: str) -> str:
    return MARKED.sub(lambda mark: mark[1] + TABLES[mark[2]]() + mark[3], text)


def _budgets() -> str:
    rows = []
    for what, other, campaign, ratio, target, bound in BUDGETS:
        found = results.read(campaign)["ratios"][ratio]
        met = found >= bound if "faster" in target else found <= bound
        times = f"{found:.1f} times faster" if "faster" in target else f"{found:.2f} times"
        rows.append([what, other, times, target, "yes" if met else "no"])
    memory = results.read("warm")["contestants"]["predict"]["rss_mb"]
    met = "yes" if memory <= MOST_MEMORY_MB else "no"
    rows.append(["memory, warm", "", f"{memory} MB", f"at most {MOST_MEMORY_MB:.0f} MB", met])
    return table(["what", "beside", "found", "target", "reached"], [*rows, *batch.budgets()])


def _contestants(campaign: str, columns: dict[str, str], first: str) -> Callable[[], str]:
    def made() -> str:
        found = results.read(campaign)
        rows = [[name, *(str(figures[column]) for column in columns)] for name, figures in found["contestants"].items()]
        return table([first, *columns.values()], rows) + where(found, f"{found['rounds']} rounds in {found['field']}")

    return made


def _images() -> str:
    found = results.read("images")
    rows = [[name, *(str(figures[column]) for column in IMAGES)] for name, figures in found["images"].items()]
    return table(["image", *IMAGES.values()], rows) + where(found, "One cold start of each")


TABLES: dict[str, Callable[[], str]] = {
    "budgets": _budgets,
    "cold": _contestants("cold", COLD, "from the spawn of the process to its first answer"),
    "images": _images,
    "parts": _contestants("parts", PARTS, "part"),
    "warm": _contestants("warm", WARM, "one row at a time"),
    **batch.tables(),
}
"""By the name in the mark."""
