"""`python -m tests.soak_batch [instants]`: crashes and storms of drops at length, on a MinIO of its own.

What came of it goes to benchmarks/results/soak-batch.json. Whatever goes wrong ends it with what was found.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.results import now
from tests.conftest import PROJECT
from tests.crash_campaign import campaign, drops, folder_models
from tests.minio_server import running
from tests.storm import storm

INSTANTS = 150
DROPS = 200
SEED = 20261123
RESULT = PROJECT / "benchmarks" / "results" / "soak-batch.json"


def main(instants: int) -> None:
    started = time.perf_counter()
    found = subprocess.run([PROJECT / ".ci" / "find-minio"], capture_output=True, text=True)
    if found.returncode != 0:
        sys.exit("there is no MinIO server; run: make provision")
    program = Path(found.stdout.strip())
    with tempfile.TemporaryDirectory() as folder:
        result = {
            **now(),
            "what": "batch's process killed (-9) and retried, and 200 files dropped at once, on real MinIO",
            "crashes": _crashes(program, Path(folder), instants),
            "drops at once": asdict(storm(program, Path(folder, "calm"), DROPS, kill=False)),
            "drops at once, the gateway killed in the middle": asdict(
                storm(program, Path(folder, "killed"), DROPS, kill=True)
            ),
            "seconds": round(time.perf_counter() - started, 1),
            "python": platform.python_version(),
            "processors": os.cpu_count(),
        }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(f"all right: {RESULT.relative_to(PROJECT)}\n")


def _crashes(program: Path, folder: Path, instants: int) -> dict[str, Any]:
    with running(program, folder / "minio") as minio:
        bucket = minio.bucket("crashes", versioned=True)
        with campaign(minio, bucket, folder_models(folder)) as ran:
            ran.run(None, instants, SEED)
        outcome = ran.outcome
    return {
        "drops": [drop.name for drop in drops()],
        "kills": outcome.runs,
        "of these": dict(outcome.kills),
        "found after the kill": dict(outcome.found.most_common()),
        "uploads left open, for the bucket's lifecycle rule to end": outcome.uploads,
        "lost, doubled or half after the retry": 0,
        "seed": SEED,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else INSTANTS)
