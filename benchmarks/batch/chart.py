"""Draws the scaling figures: seconds and memory against rows, both logarithmic. It measures nothing.

Run by the rivals' Python, which has the plotting library: `python -m benchmarks.batch.chart <figures.json> <file.svg>`.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.batch.names import in_documents

COLOURS = {"score": "#c2410c", "seed": "#334155", "polars": "#0e7490"}
PANELS = {"wall_s": "seconds, spawn to end", "peak_mb": "peak memory, MB"}
SETTINGS: Any = {
    "svg.hashsalt": "batch-scaling",  # ids that do not change from run to run
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw(scaling: dict[str, list[dict[str, float]]], path: Path, source: str) -> None:
    """`scaling` as `figures.of_scaling` gives it; `source` is kept in the file, for whoever checks what it shows."""
    with mpl.rc_context(SETTINGS):
        figure = Figure(figsize=(10, 4.2), layout="constrained")
        for panel, (key, label) in zip(figure.subplots(1, 2), PANELS.items(), strict=True):
            for name, points in scaling.items():
                ours = name == "score"
                rows, values = [point["rows"] for point in points], [point[key] for point in points]
                width, told = 2.5 if ours else 1.5, in_documents(name)
                panel.loglog(rows, values, marker="o", color=COLOURS[name], label=told, linewidth=width)
            panel.set_xlabel("rows of four features and an id")
            panel.set_ylabel(label)
            panel.grid(visible=True, color="#e2e8f0", linewidth=0.6)
        figure.axes[0].legend(frameon=False)
        figure.savefig(path, format="svg", metadata={"Date": None, "Source": source}, facecolor="white")


if __name__ == "__main__":
    found = json.loads(Path(sys.argv[1]).read_text())
    draw(found["scaling"], Path(sys.argv[2]), sys.argv[3])
