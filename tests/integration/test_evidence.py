"""`fit --evidence`: what a later gate looks at is left beside the version, and no alias moves."""

import json
from pathlib import Path

import pytest

from functions.registry import alias
from functions.registry.folder import FolderStore
from tests.models import VERSION as LIVE
from tests.models import publish_iris
from tests.training_runs import IRIS, Run, everything_in, train

WANTED = ("--target", "species", "--name", "iris")


def fit(capsys: pytest.CaptureFixture[str], store: Path, *more: str) -> Run:
    return train(capsys, IRIS, *WANTED, "--store", store, *more)


def test_the_figures_of_the_new_and_the_live_version_on_the_same_rows_are_left_for_a_gate(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    store = FolderStore(tmp_path)
    publish_iris(store)
    done = fit(capsys, tmp_path, "--evidence", "job-1")
    assert (done.code, done.err) == (0, "")
    key = "models/iris/evidence/job-1.json"
    *_, moved, left = done.out.splitlines()
    assert (moved, left) == ("no alias was moved", f"left what a gate looks at as {tmp_path.as_uri()}/{key}")
    evidence = json.loads(everything_in(store)[key])
    measured, compared = evidence.pop("measured"), evidence.pop("compared")
    (version,) = {found.split("/")[3] for found in everything_in(store) if "/versions/" in found} - {LIVE}
    assert evidence == {"run": "job-1", "version": version}
    metrics = json.loads(everything_in(store)[f"models/iris/versions/{version}/manifest.json"])["metrics"]
    assert measured == {"name": "accuracy", "value": metrics["accuracy"], "on": "30 held-out rows"}
    assert (compared["version"], compared["own"], compared["rows"]) == (LIVE, metrics["accuracy"], 30)
    assert 0.8 < compared["live"] <= 1
    assert alias.read(store, "iris", "live").version == LIVE


def test_the_first_version_of_a_model_is_compared_with_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert fit(capsys, tmp_path, "--evidence", "job-1", "--promote").code == 0
    evidence = json.loads(everything_in(FolderStore(tmp_path))["models/iris/evidence/job-1.json"])
    assert evidence["compared"] == {
        "version": None, "own": None, "live": None, "rows": 0, "problem": "", "notes": [],
    }  # fmt: skip
    assert not [key for key in everything_in(FolderStore(tmp_path)) if "/aliases/" in key]


def test_a_name_that_a_run_has_or_none_can_have_is_told_before_the_fit(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert fit(capsys, tmp_path, "--evidence", "job-1").code == 0
    before = everything_in(FolderStore(tmp_path))
    for name, code, said in (
        ("job-1", 1, "a run called job-1 of iris has left its evidence already; give each run a name of its own"),
        ("job/1", 2, "'job/1' is no name of a run; use letters, digits, dots, dashes and underscores"),
    ):
        done = fit(capsys, tmp_path, "--evidence", name)
        assert (done.code, done.err) == (code, f"error: {said}\n")
        assert "fitting" not in done.out
    assert everything_in(FolderStore(tmp_path)) == before


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--output", "model.joblib"), "--evidence needs --store, where a gate will look for it"),
        (
            ("--store", ".", "--name", "iris", "--min-score", "0.9"),
            "--evidence leaves the judgement to a later gate; give it --min-score and --max-drop-vs-live",
        ),
    ],
)
def test_evidence_that_nobody_could_judge_is_a_mistake(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, more: tuple[str, ...], said: str
) -> None:
    own = [str(tmp_path / one) if one in (".", "model.joblib") else one for one in more]
    done = train(capsys, IRIS, "--target", "species", "--evidence", "job-1", *own)
    assert (done.code, done.err) == (2, f"error: {said}\n")
    assert list(tmp_path.iterdir()) == []
