"""Whatever becomes of the twin, the pipeline is published and served by scikit-learn, and the command says why."""

import ctypes
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.loader import Reference, load
from functions.registry.folder import FolderStore
from tests.training_runs import IRIS, train
from training import publication
from training.parity import NoTwin


def refuses() -> Any:
    raise NoTwin("the twin gives 1 of 150 rows another label")


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (refuses, "the twin gives 1 of 150 rows another label"),
        (lambda: ctypes.string_at(0), "making its twin and comparing it was ended by SIGSEGV"),
        (lambda: threading.Event().wait(), "making its twin and comparing it took longer than 0.5 s"),
    ],
    ids=["different", "crash", "hang"],
)
def test_scikit_learn_serves_and_one_line_says_why(
    happens: Callable[[], Any],
    reason: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publication, "twin_of", lambda *_: happens())
    monkeypatch.setattr(publication, "LONGEST", 0.5)
    done = train(capsys, IRIS, "--target", "species", "--name", "iris", "--store", tmp_path)
    assert (done.code, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if "served by" in line] == [f"served by scikit-learn: {reason}"]
    store = FolderStore(tmp_path)
    model = load(store, Reference("iris"))
    assert model.engine.name == model.public["engine"] == "joblib"
    assert not [key for key in store.keys("") if key.endswith(".onnx")]
