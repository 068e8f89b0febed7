"""`python -m tests.soak [rounds]`: the fuzz at length; what came of it goes to benchmarks/results/soak-fuzz.json."""

import json
import os
import platform
import sys
import time
from multiprocessing import Pool

from benchmarks.results import now
from tests.conftest import PROJECT
from tests.quiet import quiet

ROUNDS = 100_000
RESULT = PROJECT / "benchmarks" / "results" / "soak-fuzz.json"


def part(seeds: range) -> dict[str, int]:
    """One process's share. Raises Wrong with the seed of a round that fails."""
    with quiet():  # a door that is imported loads the model the environment names, and says that there is none
        from tests.fuzzing import Fuzz

        return dict(Fuzz().rounds(seeds))


def main(rounds: int) -> None:
    started, found_by = time.perf_counter(), now()
    workers = os.cpu_count() or 1
    outcomes: dict[str, int] = {}
    with Pool(workers) as pool:
        for found in pool.imap(part, [range(first, rounds, workers) for first in range(workers)]):
            for outcome, times in found.items():
                outcomes[outcome] = outcomes.get(outcome, 0) + times
    result = {
        **found_by,
        "what": "random requests, events and files through both doors; a round that fails ends it and names its seed",
        "rounds": rounds,
        "answered by the error tree or rightly": sum(outcomes.values()),
        "seconds": round(time.perf_counter() - started, 1),
        "processes": workers,
        "python": platform.python_version(),
        "outcomes": dict(sorted(outcomes.items(), key=lambda item: -item[1])),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    sys.stdout.write(f"{rounds} rounds in {result['seconds']} s, all answered: {RESULT.relative_to(PROJECT)}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
