"""The benchmarks of whole files run: every contestant scores every file, from disk and MinIO. No time is judged."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.batch import campaign, figures, models, scaling, tables
from benchmarks.batch.cases import CASES, Case
from benchmarks.batch.contestants import PYTHON
from tests.conftest import PROJECT

ROWS = 2500
OURS = {"score", "batch", "score by joblib"}


@pytest.fixture(scope="module")
def rivals() -> Path:
    """The Python that all contestants run on."""
    if not PYTHON.exists():
        pytest.skip("the rivals are not installed; run: make rivals-environment")
    return PYTHON


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("store")
    models.publish(root)
    return root


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_contestant_scores_the_file_as_the_seed_does_and_ours_change_no_byte(
    rivals: Path, store: Path, minio_binary: Path, case: Case
) -> None:
    assert rivals.exists()
    assert minio_binary.exists()
    found = campaign.run_case(replace(case, rows=ROWS), store, 1)
    assert (found["rows"], found["columns"]) == (ROWS, len(tables.KINDS[case.kind][0]))
    assert tuple(found["raw"]) == case.contestants
    for name, own in found["raw"].items():
        assert own["as_the_seed_predicts"], name
        assert own["identical"] == (name in OURS), name
        assert own["seconds"][0] > 0 < own["processor_seconds"][0]
        assert own["peak_bytes"][0] > 30_000_000  # of the contestant, not of whoever measures it
    assert "seed to score" in figures.of_case(found)["ratios"]


def test_a_contestant_that_fails_is_no_quick_one(rivals: Path, store: Path) -> None:
    assert rivals.exists()
    with pytest.raises(campaign.ContestantFailed, match=r"^score failed: error: .*sepal_length"):
        campaign.run_case(replace(CASES[0], kind="wide", rows=10), store, 1)


def test_scaling_leaves_out_who_would_not_fit_into_memory_and_draws_the_rest(
    rivals: Path, store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scaling, "_free", lambda: 1_000_000_000)  # the seed takes 200 MB for a thousand rows
    found = scaling.run(store, {1000: 1, 10_000: 2})
    assert [list(point["raw"]) for point in found["points"]] == [["score", "seed", "polars"], ["score"]]
    assert found["points"][1]["raw"]["score"]["as_the_seed_predicts"] is None
    assert [(each["contestant"], each["rows"]) for each in found["left_out"]] == [("polars", 10_000), ("seed", 10_000)]
    told = figures.of_scaling(found)
    (tmp_path / "scaling.json").write_text(json.dumps({"scaling": told}))
    drawn = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for path in drawn:
        command: list[str | Path] = [rivals, "-m", "benchmarks.batch.chart", tmp_path / "scaling.json", path, "abc123"]
        subprocess.run(command, cwd=PROJECT, check=True)
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
    assert all(word in drawn[0].read_text() for word in ("abc123", ">score<", ">pandas, all at once<", ">polars<"))


@pytest.fixture(scope="module")
def block(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("block") / "block.csv"
    tables.write(path, "flowers", ROWS)
    return path


def test_the_building_blocks_are_measured_and_ours_are_exact(rivals: Path, block: Path) -> None:
    command: list[str | Path] = [rivals, "-m", "benchmarks.batch.blocks", block, "2"]
    raw = json.loads(subprocess.run(command, cwd=PROJECT, capture_output=True, check=True).stdout)
    assert list(raw) == ["parse", "append"]
    for each in raw.values():
        assert {"pyarrow", "polars"} <= {name.split(",")[0] for name in each}
        assert all(len(own["seconds"]) == 2 for own in each.values())
        assert all(own["exact"] for name, own in each.items() if name.startswith("ours"))
    told = figures.of_blocks({"rows": ROWS, "bytes": block.stat().st_size, "raw": raw})
    assert told["parse"]["pyarrow"]["installed_mb"] > told["parse"]["ours, on numpy"]["installed_mb"] == 0
