"""The figures in docs/fan-out.md are what the plan makes of these files, and what the formulas give."""

import re
from math import ceil
from pathlib import Path

import pytest

from functions.scoring.fanout import plan as plans
from functions.scoring.loop import BLOCK
from functions.settings import FanOutSettings

TEXT = (Path(__file__).parents[2] / "docs" / "fan-out.md").read_text(encoding="utf-8")
UNITS = {"GB": 10**9, "TB": 10**12, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
WANTED = FanOutSettings.read({}).part_bytes


def table(header: str) -> list[list[str]]:
    """The cells of the rows under this header."""
    _, _, rest = TEXT.partition(f"{header}\n")
    lines = rest.splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[: lines.index("")]]


def in_bytes(told: str) -> float:
    number, unit = told.split()
    return float(number) * UNITS[unit]


@pytest.mark.parametrize("row", table("| *B* | *S* | *P* | *p* | 5 *p* |"), ids=lambda row: row[0])
def test_a_file_of_this_size_has_these_parts_and_pieces(row: list[str]) -> None:
    size = int(in_bytes(row[0]))
    length = plans.length_of_parts(size, BLOCK, WANTED)
    parts = len(plans.wanted_cuts(50, size, length)) + 1
    piece = max(plans.LEAST_PIECE, 2 * length / (plans.MOST_NUMBERS // parts))
    assert int(row[2].replace(",", "")) == parts
    assert in_bytes(row[1]) == pytest.approx(length, rel=0.01)
    assert in_bytes(row[3]) == pytest.approx(piece, rel=0.03)
    assert in_bytes(row[4]) == pytest.approx(5 * piece, rel=0.01)


@pytest.mark.parametrize("row", table("| *b* | *r* | *g* | *P* | Lambda | Step Functions | S3 | in all |"), ids=str)
def test_a_billion_rows_cost_what_the_formulas_give(row: list[str]) -> None:
    width, rate, growth, told = int(row[0]), int(row[1].split()[0]) * 10**6, float(row[2]), int(row[3])
    size = 10**9 * width
    parts = ceil(size / WANTED)
    by_lambda = 1769 / 1024 * (size / rate + parts * 3) * 0.0000166667 + (parts + 2) * 0.20 / 10**6
    by_steps = (8 + 3 * parts) * 0.025 / 1000
    puts, gets = growth * size / (8 * 2**20) + 4 * parts, size / (4 * 2**20) + 3 * parts
    by_s3 = puts * 0.005 / 1000 + gets * 0.0004 / 1000
    assert told == parts
    assert [float(cell) for cell in row[4:7]] == [round(one, 3) for one in (by_lambda, by_steps, by_s3)]
    assert float(row[7]) == round(by_lambda + by_steps + by_s3, 2)


def test_the_parameters_are_the_templates() -> None:
    template = (Path(__file__).parents[2] / "template.yaml").read_text(encoding="utf-8")
    for name, default, _ in table("| Parameter | Default | |"):
        found = re.search(rf"^  {name.strip('`')}:\n    Type: .*\n    Default: \"?([^\"\n]*)", template, re.MULTILINE)
        assert found is not None, name
        assert default.strip("`") == found[1]
