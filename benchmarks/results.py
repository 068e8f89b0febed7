"""The results as files: what a campaign found, with where and when, under `benchmarks/results`."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.stage import PROJECT
from training.versions import git_commit

FOLDER = Path(__file__).parent / "results"
DIGITS = 7  # of seconds: tenths of a microsecond


def write(name: str, document: dict[str, Any]) -> Path:
    """Writes `<name>.json` anew, with the machine, the time and the commit in front."""
    found = {
        **now(),
        "machine": {"processor": _processor(), "processors": os.cpu_count()},
        **document,
    }
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.json"
    path.write_text(json.dumps(_rounded(found)) + "\n")
    return path


def now() -> dict[str, Any]:
    """When something was found, and by which code: `{"at", "commit"}`."""
    return {"at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": git_commit(PROJECT)}


def read(name: str) -> dict[str, Any]:
    """What was written last. Raises FileNotFoundError before the first campaign."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "unknown"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value
