"""Tables are the same in every run, outputs are really compared, and what is told of whole files follows by rules."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from benchmarks.batch import documents, figures, tables
from benchmarks.batch.compare import outcome

TABLE = b'id,note\n1,a\n2,"b\n,"""\n3,c\n'
SCORED = b'id,note,prediction\n1,a,x\n2,"b\n,""",y\n3,c,x\n'


@pytest.mark.parametrize("kind", tables.KINDS)
def test_a_table_is_the_same_in_every_run_whatever_its_length(tmp_path: Path, kind: str) -> None:
    short, long = tmp_path / "short.csv", tmp_path / "long.csv"
    tables.write(short, kind, 30)
    tables.write(long, kind, 40)
    with short.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert {len(row) for row in rows} == {len(tables.KINDS[kind][0])}
    assert rows[0] == tables.KINDS[kind][0]
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1, 31)]
    again = tmp_path / "again.csv"
    tables.write(again, kind, 30)
    assert again.read_bytes() == short.read_bytes()


def test_a_longer_table_begins_with_the_blocks_of_a_shorter_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 10)
    short, long = tmp_path / "short.csv", tmp_path / "long.csv"
    tables.write(short, "flowers", 20)
    tables.write(long, "flowers", 35)
    assert long.read_bytes().startswith(short.read_bytes())
    assert len(long.read_bytes().splitlines()) == 36


def compared(folder: Path, source: bytes, target: bytes) -> tuple[bool, int, str]:
    (folder / "in.csv").write_bytes(source)
    (folder / "out.csv").write_bytes(target)
    found = outcome(folder / "in.csv", folder / "out.csv")
    return found.identical, found.rows, found.predictions


def test_an_output_that_only_appends_is_identical(tmp_path: Path) -> None:
    assert compared(tmp_path, TABLE, SCORED)[:2] == (True, 3)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"3,c,x", b"3.0,c,x"), (b"1,a,x", b'1,"a",x'), (b'"b\n,"""', b'"b,"""'), (b"3,c,x\n", b""),
        (b"3,c,x\n", b"3,c,x\n4,d,x\n"), (b"1,a,x", b"1,ab,x"), (b"id,note,prediction", b'"id","note","prediction"'),
    ],
)  # fmt: skip
def test_an_output_that_changes_one_byte_of_the_input_is_not(tmp_path: Path, before: bytes, after: bytes) -> None:
    assert not compared(tmp_path, TABLE, SCORED.replace(before, after, 1))[0]


def test_predictions_are_compared_whatever_became_of_the_rest(tmp_path: Path) -> None:
    right = compared(tmp_path, TABLE, SCORED)[2]
    assert compared(tmp_path, TABLE, SCORED.replace(b",x", b',"x"').replace(b"1,", b"1.0,"))[2] == right
    assert compared(tmp_path, TABLE, SCORED.replace(b"1,a,x", b"1,a,y"))[2] != right


RUN = {"seconds": [2.0, 1.0, 3.0], "processor_seconds": [1.5], "peak_bytes": [90_000_000, 100_000_000],
       "identical": True, "as_the_seed_predicts": True}  # fmt: skip
CASE = {"rows": 1000, "bytes": 3_000_000, "raw": {"score": RUN, "seed": RUN | {"seconds": [30.0, 26.0]}}}


def test_a_contestant_is_told_by_its_median_and_its_highest_peak() -> None:
    found = figures.of_case(CASE)
    assert found["contestants"]["score"] == {
        "wall_s": 2.0, "best_s": 1.0, "worst_s": 3.0, "processor_s": 1.5, "peak_mb": 100.0, "rows_per_s": 500,
        "mb_per_s": 1.5, "identical": True, "as_the_seed_predicts": True,
    }  # fmt: skip
    assert found["ratios"] == {"seed to score": 14.0}


def test_scaling_is_told_by_contestant_from_few_rows_to_many() -> None:
    points = [CASE | {"rows": 10, "raw": {"score": RUN, "seed": RUN}}, CASE | {"raw": {"score": RUN}}]
    own = {"wall_s": 2.0, "processor_s": 1.5, "peak_mb": 100.0}
    assert figures.of_scaling({"points": points}) == {
        "score": [{"rows": 10, **own, "rows_per_s": 5}, {"rows": 1000, **own, "rows_per_s": 500}],
        "seed": [{"rows": 10, **own, "rows_per_s": 5}],
    }


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], peak: float) -> None:
    """Results files with one figure of `score` changed in every case, and the largest file's peak."""
    case = {"rows": 5_000_000, **figures.of_case(CASE | {"raw": CASE["raw"] | {"score": RUN | change}})}  # type: ignore[operator] # a dict of dicts
    scaled = {"score": [{"rows": 50_000_000, "wall_s": 9.0, "peak_mb": peak}]}
    slower = {"seconds": [2.5], "peak_bytes": [150_000_000]} | change
    raw = CASE["raw"] | {"batch": RUN | slower}  # type: ignore[operator] # a dict of dicts
    drop = {"rows": 5_000_000, **figures.of_case(CASE | {"raw": raw})}
    (folder / "batch.json").write_text(json.dumps({"cases": {"flowers": case, "minio": drop}}))
    (folder / "batch-scaling.json").write_text(json.dumps({"scaling": scaled}))
    monkeypatch.setattr(results, "FOLDER", folder)


def test_the_budget_is_reached_by_the_ratio_the_highest_peak_and_every_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, monkeypatch, {}, 120.0)
    assert documents.budgets() == [
        [
            "score, disk to disk, 5 million rows",
            "pandas, all at once",
            "14.0 times faster",
            "at least 12 times faster",
            "yes",
        ],
        [
            "batch, bucket to bucket, 5 million rows",
            "pandas, all at once",
            "11.2 times faster",
            "at least 12 times faster",
            "no",
        ],
        ["score, disk to disk, up to 50 million rows, memory", "", "120.0 MB", "at most 250 MB", "yes"],
        ["batch, bucket to bucket, 5 million rows, memory", "", "150.0 MB", "at most 250 MB", "yes"],
        ["every file, the input's bytes", "", "kept", "kept", "yes"],
    ]


@pytest.mark.parametrize(
    ("change", "peak", "reached"),
    [
        ({"seconds": [2.0]}, 100.0, ["yes", "yes", "yes", "yes", "yes"]),
        ({"seconds": [3.0]}, 100.0, ["no", "no", "yes", "yes", "yes"]),
        ({}, 251.0, ["yes", "no", "no", "yes", "yes"]),
        ({"peak_bytes": [260_000_000]}, 100.0, ["yes", "no", "no", "no", "yes"]),
        ({"identical": False}, 100.0, ["yes", "no", "yes", "yes", "no"]),
    ],
)
def test_a_budget_that_is_missed_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any], peak: float, reached: list[str]
) -> None:
    written(tmp_path, monkeypatch, change, peak)
    assert [row[-1] for row in documents.budgets()] == reached


def test_a_chart_of_other_figures_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not documents.chart_is_outdated()
    written(tmp_path, monkeypatch, {}, 120.0)
    assert documents.chart_is_outdated()


def test_every_contestant_of_a_case_has_a_row_of_its_own_in_the_documents() -> None:
    told = documents.tables()["batch_minio"]()
    assert [line.split("|")[1].strip() for line in told.splitlines()[2:] if line.startswith("|")] == [
        "score", "batch", "pandas, all at once", "pandas in chunks", "polars", "pyarrow"
    ]  # fmt: skip


def test_what_the_page_says_of_a_forest_without_its_twin_is_what_was_measured() -> None:
    page = " ".join((documents.CHART.parent / "benchmarks.md").read_text().split())
    found = results.read("batch")["cases"]["forest"]["contestants"]
    slower = found["score by joblib"]["wall_s"] > found["seed"]["wall_s"]
    assert ("**score by joblib** is slower here than pandas, all at once" in page) == slower
