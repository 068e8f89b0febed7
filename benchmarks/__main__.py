"""The command line: `python -m benchmarks cold | warm | parts` measures and writes; `table` fills the documents."""

import argparse
import sys

from benchmarks import figures, results, table
from benchmarks.contestants import Order
from benchmarks.field import Field, Here, Image, event
from benchmarks.stage import staged

FIGURES = {"cold": figures.of_cold, "warm": figures.of_warm, "parts": figures.of_parts}
ROUNDS = {"cold": 30, "warm": 20, "parts": 20}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("campaign", choices=[*FIGURES, "table"])
    parser.add_argument("--rounds", type=int, help="how often each contestant has its turn")
    parser.add_argument("--here", action="store_true", help="in this Python environment instead of the image")
    parser.add_argument("--keep", action="store_true", help="print only; leave the results file as it is")
    parser.add_argument("--check", action="store_true", help="table: write nothing, fail where it would change")
    asked = parser.parse_args()
    if asked.campaign == "table":
        sys.exit(_table(check=asked.check))
    field: Field = Here() if asked.here else Image.built()
    rounds = asked.rounds or ROUNDS[asked.campaign]
    with staged() as stage:
        raw = field.run(asked.campaign, Order(field.contestants(stage), event(), rounds))
    found = FIGURES[asked.campaign](raw)
    _show(found)
    if not asked.keep:
        for each in raw.values():
            each.pop("imports", None)  # some thousand names; how many they are is kept
        path = results.write(
            asked.campaign, {"field": field.name, "python": field.python, "rounds": rounds, **found, "raw": raw}
        )
        sys.stdout.write(f"written: {path}\n")


def _table(*, check: bool) -> int:
    if not check:
        for document in table.write():
            sys.stdout.write(f"written: {document}\n")
        return 0
    for document in table.outdated():
        sys.stderr.write(f"{document}: not what the results files say; run: python -m benchmarks table\n")
    return bool(table.outdated())


def _show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    columns = list(next(iter(found["contestants"].values())))
    sys.stdout.write(f"{'':48}{''.join(f'{column:>13}' for column in columns)}\n")
    for name, figure in found["contestants"].items():
        sys.stdout.write(f"{name:48}{''.join(f'{figure[column]:>13}' for column in columns)}\n")
    for what, ratio in found["ratios"].items():
        sys.stdout.write(f"{what}: {ratio}\n")


if __name__ == "__main__":
    main()
