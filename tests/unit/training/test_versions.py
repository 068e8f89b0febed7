"""A version's name sorts by time and says its content; every part of the content counts."""

import sys
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from functions.registry.keys import version_folder
from training.versions import git_commit, libraries, version_id

NOW = datetime(2026, 11, 22, 19, 52, 7, tzinfo=UTC)
WHAT: dict[str, Any] = {
    "data": "ab" * 32,
    "parameters": {"target": "species", "drop": []},
    "seed": 0,
    "libraries": {"python": "3.13.5", "scikit-learn": "1.9.1"},
}


def test_the_name_is_a_time_and_eight_hex_digits() -> None:
    assert version_id(NOW, **WHAT) == "20261122T195207Z-49335388"
    assert version_folder("iris", version_id(NOW, **WHAT)) == "models/iris/versions/20261122T195207Z-49335388/"


def test_versions_sort_by_time() -> None:
    names = [version_id(NOW + timedelta(seconds=step), **WHAT) for step in (0, 1, 60, 86400, 40 * 86400)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    "change",
    [
        {"data": "ac" * 32},
        {"parameters": {"target": "y", "drop": []}},
        {"parameters": {"target": "species", "drop": ["a"]}},
        {"seed": 1},
        {"libraries": {"python": "3.13.5", "scikit-learn": "1.9.2"}},
    ],
)
def test_whatever_changes_the_model_changes_the_digest(change: dict[str, Any]) -> None:
    assert version_id(NOW, **{**WHAT, **change}).split("-")[1] != version_id(NOW, **WHAT).split("-")[1]


TWIN = ("onnx", "onnxruntime", "skl2onnx")


def test_the_libraries_are_those_of_this_process() -> None:
    found = libraries()
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["scikit-learn"] == version("scikit-learn")
    assert set(found) == {"python", "scikit-learn", "numpy", "scipy", "joblib", "pandas", *TWIN}


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
    (tmp_path / ".git").mkdir()  # and in a broken one neither
    assert git_commit(tmp_path) is None
