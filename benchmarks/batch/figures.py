"""Raw figures of whole runs become the ones that are told: medians, peaks and ratios. Pure; it measures nothing.

Seconds and MB (10**6 bytes) are rounded here once, and ratios are taken from what is not rounded.
"""

from statistics import median
from typing import Any

from benchmarks.batch.contestants import DOOR, SCORE

OURS = (SCORE, DOOR)


def of_case(found: dict[str, Any]) -> dict[str, Any]:
    """`{"contestants": {name: figures}, "ratios": {what: ratio}}` of one case, as `run_case` gives it."""
    raw = found["raw"]
    return {
        "contestants": {name: _figures(own, found["rows"], found["bytes"]) for name, own in raw.items()},
        "ratios": {
            f"{name} to {ours}": round(median(own["seconds"]) / median(raw[ours]["seconds"]), 3)
            for ours in OURS
            if ours in raw
            for name, own in raw.items()
            if name not in OURS
        },
    }


def of_scaling(found: dict[str, Any]) -> dict[str, Any]:
    """`{contestant: [{"rows", "seconds", "peak_mb"}, ...]}`, ascending; sizes that were left out are not in it."""
    told: dict[str, Any] = {}
    for point in found["points"]:
        for name, own in point["raw"].items():
            figures = _figures(own, point["rows"], point["bytes"])
            kept = {key: figures[key] for key in ("wall_s", "processor_s", "peak_mb", "rows_per_s")}
            told.setdefault(name, []).append({"rows": point["rows"], **kept})
    return told


def of_blocks(found: dict[str, Any]) -> dict[str, Any]:
    """`{what: {name: figures}}`: what it does to a block, and who does it."""
    rows, size = found["rows"], found["bytes"]
    return {
        what: {
            name: {
                "ms": round(median(own["seconds"]) * 1000, 1),
                "mb_per_s": round(size / median(own["seconds"]) / 1e6, 1),
                "rows_per_s": round(rows / median(own["seconds"])),
                "exact": own["exact"],
                "installed_mb": round(own["installed_bytes"] / 1e6, 1),
            }
            for name, own in each.items()
        }
        for what, each in found["raw"].items()
    }


def _figures(own: dict[str, Any], rows: int, size: int) -> dict[str, Any]:
    seconds = own["seconds"]
    return {
        "wall_s": round(median(seconds), 3),
        "best_s": round(min(seconds), 3),
        "worst_s": round(max(seconds), 3),
        "processor_s": round(median(own["processor_seconds"]), 3),
        "peak_mb": round(max(own["peak_bytes"]) / 1e6, 1),
        "rows_per_s": round(rows / median(seconds)),
        "mb_per_s": round(size / median(seconds) / 1e6, 1),
        "identical": own["identical"],
        "as_the_seed_predicts": own["as_the_seed_predicts"],
    }
