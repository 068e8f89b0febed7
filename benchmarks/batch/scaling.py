"""From 50 thousand rows to 50 million: the same file, longer. Who would not fit into the memory here is left out.

The longest file is scored by us alone: it is there to show our memory, and the others take minutes for it.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.batch.campaign import run_case
from benchmarks.batch.cases import CASES
from benchmarks.batch.contestants import SCORE, SEED

ROUNDS = {50_000: 5, 500_000: 5, 5_000_000: 3, 50_000_000: 1}
"""How often each contestant has its turn, by rows."""
CONTESTANTS = (SCORE, SEED, "polars")
MOST_OF_OTHERS = 5_000_000  # rows
SHARE = 0.8  # of the memory that is free, which a contestant may come to need


def run(store: Path, rounds: dict[int, int]) -> dict[str, Any]:
    """`{"points": [what `run_case` gives], "left_out": [{"contestant", "rows", "would_need_bytes", "free_bytes"}]}`."""
    found: dict[str, Any] = {"points": [], "left_out": []}
    needed: dict[str, float] = {}
    last = 0
    for rows, times in sorted(rounds.items()):
        free = _free()
        expected = {name: size * rows / last for name, size in needed.items()}
        room = SHARE * free if rows <= MOST_OF_OTHERS else 0.0
        fitting = tuple(name for name in CONTESTANTS if name == SCORE or expected.get(name, 0.0) <= room)
        for name in sorted(set(CONTESTANTS) - set(fitting)):
            found["left_out"].append(
                {"contestant": name, "rows": rows, "would_need_bytes": round(expected[name]), "free_bytes": free}
            )
        point = run_case(replace(CASES[0], rows=rows, contestants=fitting), store, times)
        found["points"].append(point)
        needed = {name: max(own["peak_bytes"]) for name, own in point["raw"].items()} | {
            name: expected[name] for name in CONTESTANTS if name not in fitting
        }
        last = rows
    return found


def _free() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("/proc/meminfo does not say how much memory is available")
