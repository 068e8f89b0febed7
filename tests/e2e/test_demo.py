"""A stranger's first minutes: a fresh clone, `make demo`, and what lies in the folder afterwards."""

import csv
import io
import json
import os
import re
import subprocess
from pathlib import Path

import joblib
import pandas as pd
import pytest

from tests.conftest import PROJECT


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed, in an empty folder."""
    folder = tmp_path_factory.mktemp("stranger") / "serverless-sklearn"
    subprocess.run(["git", "clone", "--quiet", PROJECT, folder], check=True)
    return folder


@pytest.fixture(scope="module")
def shown(clone: Path) -> str:
    """What `make demo </dev/null` prints in it."""
    dropped = ("VIRTUAL_ENV", "VENV", "PORT", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    ended = subprocess.run(
        ["make", "demo"],
        cwd=clone,
        env={name: value for name, value in os.environ.items() if name not in dropped},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_setosa_row_is_predicted_with_probabilities_that_sum_to_1(shown: str) -> None:
    [answer] = [json.loads(line) for line in shown.splitlines() if line.startswith('{"predictions"')]
    assert answer["predictions"] == ["setosa"]
    assert sum(answer["probabilities"][0].values()) == pytest.approx(1)
    assert answer["model"]["name"] == "iris"


def test_the_dropped_file_is_scored_as_scikit_learn_would(clone: Path, shown: str) -> None:
    bucket = clone / "bucket"
    assert "./bucket/scored/flowers.csv" in shown
    summary = json.loads((bucket / "scored" / "flowers.csv.summary.json").read_bytes())
    [version] = (bucket / "models" / "iris" / "versions").iterdir()
    assert (summary["status"], summary["model"]["version"]) == ("scored", version.name)
    scored = pd.read_csv(bucket / "scored" / "flowers.csv")
    features = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    pipeline = joblib.load(version / "model.joblib")
    assert list(scored["prediction"]) == list(pipeline.predict(scored[features]))
    assert list(scored.columns) != [*features, "prediction"]


def test_input_bytes_are_unchanged_and_the_bad_row_is_rejected_with_line_and_reason(clone: Path, shown: str) -> None:
    assert shown
    bucket = clone / "bucket"
    dropped = (bucket / "incoming" / "flowers.csv").read_bytes().splitlines()
    [rejected] = csv.DictReader(io.StringIO((bucket / "rejected" / "flowers.csv").read_text()))
    bad = dropped.pop(int(rejected["line"]) - 1)
    assert rejected["record"].encode() == bad
    assert rejected["reason"] == "not_a_number"
    scored = (bucket / "scored" / "flowers.csv").read_bytes().splitlines()
    assert [line.rpartition(b",")[0] for line in scored] == dropped


def test_both_answers_come_from_processes_of_their_own_and_none_is_left(clone: Path, shown: str) -> None:
    assert len(set(re.findall(r"from (pid \d+)", shown))) == 2
    working_there = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            working_there += [process.name] if (process / "cwd").readlink().is_relative_to(clone) else []
        except OSError:
            continue
    assert working_there == []


def test_git_sees_nothing_of_what_it_made(clone: Path, shown: str) -> None:
    assert shown
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == ""
