"""Retraining without a deploy: a table lands, a version goes live, a running function follows; and back again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from functions.registry import alias, catalogue
from functions.registry.folder import FolderStore
from functions.registry.store import Store, open_store
from tests.local_room import eventually
from tests.minio_server import Credentials, Minio
from tests.models import VERSION, publish_iris
from tests.runtime import Runtime, running
from tests.training_runs import IRIS, PROJECT
from training.cli import main
from training.watch import Summary, Watch, summary_key

GET_MODEL = json.loads((PROJECT / "events" / "http-api-model.json").read_text())
FIT = ["--target", "species", "--name", "iris"]
PATIENCE = 120.0


@contextmanager
def watching(folder: Path, source: str, store: str, *words: str, environment: dict[str, str]) -> Iterator[None]:
    """`python -m training watch` as a process of its own, stopped by SIGTERM."""
    command = [sys.executable, "-m", "training", "watch", source, "--every", "0.2", "--store", store, *FIT, *words]
    with (folder / "watch.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=PROJECT, env={**os.environ, **environment}, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        try:
            yield
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 128 + signal.SIGTERM, (folder / "watch.log").read_text()
        finally:
            process.kill()
            process.wait()


def version_of(runtime: Runtime) -> Any:
    """None while there is none: a busy machine may take longer to load it than INIT waits."""
    return json.loads(runtime.ask(GET_MODEL)["body"]).get("version")


def summary_of(store: Store, name: str) -> Summary:
    key = summary_key(f"incoming-training/{name}")
    eventually(lambda: key in list(store.keys("trained/")), PATIENCE)
    return msgspec.json.decode(store.get(key).body, type=Summary)


def test_a_dropped_training_table_reaches_a_running_function_and_a_rollback_does(
    minio: Minio,
    model_bucket: str,
    predict_credentials: Credentials,
    trainer_credentials: Credentials,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The function may only read models; who trains may do everything in that bucket, and drops into it here."""
    trainer = minio.environment(trainer_credentials)
    for name, value in trainer.items():
        monkeypatch.setenv(name, value)
    url = f"s3://{model_bucket}"
    store = open_store(url)
    publish_iris(store)
    settings = {
        **minio.environment(predict_credentials),
        "MODEL_STORE": url, "MODEL_NAME": "iris", "MODEL_REFRESH_SECONDS": "0.1",
    }  # fmt: skip
    function = running([sys.executable, "-m", "awslambdaric", "functions.predict.handler"], settings)
    with function as runtime, watching(tmp_path, url, url, "--max-drop-vs-live", "0.1", environment=trainer):
        eventually(lambda: version_of(runtime) == VERSION, PATIENCE)
        store.put("incoming-training/day 1/flowers.csv", IRIS.read_bytes())
        summary = summary_of(store, "day 1/flowers.csv")
        assert (summary.status, summary.reason) == ("promoted", None)
        assert summary.model is not None
        newer = summary.model.version
        eventually(lambda: version_of(runtime) == newer, PATIENCE)
        assert main(["rollback", "--name", "iris", "--store", url]) == 0
        eventually(lambda: version_of(runtime) == VERSION, PATIENCE)
    moves = [(move.version, move.by) for move in catalogue.history(store, "iris", "live")]
    assert moves[:2] == [(VERSION, "test"), (newer, "watch of incoming-training/day 1/flowers.csv")]
    assert [version for version, _ in moves] == [VERSION, newer, VERSION]
    stat = store.stat("incoming-training/day 1/flowers.csv")
    assert (summary.input.etag, summary.input.size) == (stat.etag, stat.size)


@dataclass
class Folder:
    store: FolderStore
    said: list[str]

    def look(self, *words: str) -> bool:
        """One turn of a watch that has seen every file lie still for long enough."""
        watch = Watch(self.store, [*FIT, "--store", str(self.store.path("x").parent), *words], self.said.append)
        watch.look()
        watch._moving = {key: (etag, -1e9) for key, (etag, _) in watch._moving.items()}
        return watch.look()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder store in which iris has a live version."""
    store = FolderStore(tmp_path / "store")
    publish_iris(store)
    return Folder(store, [])


def worse() -> bytes:
    """Iris, half of it with labels by chance."""
    header, *rows = IRIS.read_text().splitlines()
    kinds = ["setosa", "versicolor", "virginica"]
    guessed = [f"{row.rpartition(',')[0]},{kinds[index % 3]}" if index % 2 else row for index, row in enumerate(rows)]
    return "\n".join([header, *guessed, ""]).encode()


def test_a_table_is_trained_on_once_and_again_when_it_is_dropped_again(folder: Folder) -> None:
    folder.store.put("incoming-training/a.csv", IRIS.read_bytes())
    folder.store.put("incoming-training/notes.txt", b"not a table")
    assert not folder.look()
    first = summary_of(folder.store, "a.csv")
    assert not folder.look()
    assert summary_of(folder.store, "a.csv") == first
    folder.store.put("incoming-training/a.csv", IRIS.read_bytes())
    assert not folder.look()
    again = summary_of(folder.store, "a.csv")
    assert (first.status, again.status) == ("promoted", "promoted")
    assert first.model != again.model


def test_the_gate_keeps_a_worse_model_from_users_and_says_so(folder: Folder) -> None:
    before = alias.read(folder.store, "iris", "live")
    folder.store.put("incoming-training/worse.csv", worse())
    assert not folder.look("--min-score", "0.9")
    summary = summary_of(folder.store, "worse.csv")
    assert (summary.status, summary.alias) == ("refused", None)
    assert summary.model is not None
    assert summary.reason is not None
    assert summary.reason.startswith(f"iris {summary.model.version} is published and not promoted: accuracy 0.")
    assert alias.read(folder.store, "iris", "live") == before
    assert summary.model.version in catalogue.contents(folder.store, "iris").versions


def test_a_table_that_cannot_be_learnt_from_fails_with_its_reason_and_is_left_alone(folder: Folder) -> None:
    folder.store.put("incoming-training/sub/bad.csv", b"a,species\n1,x\n")
    assert not folder.look()
    summary = summary_of(folder.store, "sub/bad.csv")
    assert (summary.status, summary.model) == ("failed", None)
    assert summary.reason is not None
    assert summary.reason.startswith("error: incoming-training/sub/bad.csv: ")
    said = len(folder.said)
    assert not folder.look()
    assert len(folder.said) == said


def test_where_the_environment_fails_it_is_tried_three_times(folder: Folder, tmp_path: Path) -> None:
    folder.store.put("incoming-training/a.csv", IRIS.read_bytes())
    (tmp_path / "file").write_text("no folder")
    watch = Watch(folder.store, [*FIT, "--store", str(tmp_path / "file")], folder.said.append)
    watch.look()
    watch._moving = {key: (etag, -1e9) for key, (etag, _) in watch._moving.items()}
    assert [watch.look() for _ in range(3)] == [True, True, False]
    assert summary_of(folder.store, "a.csv").status == "failed"


def test_a_file_that_is_still_being_copied_is_left_until_it_lies_still(folder: Folder) -> None:
    watch = Watch(folder.store, [*FIT, "--store", "unused"], folder.said.append)
    for size in (100, 200, 300):
        folder.store.put("incoming-training/a.csv", IRIS.read_bytes()[:size])
        assert watch.look()
    assert folder.said == []


def test_with_once_it_ends_when_nothing_is_left(folder: Folder, capfd: pytest.CaptureFixture[str]) -> None:
    folder.store.put("incoming-training/a.csv", IRIS.read_bytes())
    root = str(folder.store.path("x").parent)
    assert main(["watch", root, "--once", "--store", root, *FIT]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == (
        "incoming-training/a.csv: promoted, see trained/a.csv.summary.json"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((*FIT,), "watch needs --store and --name, where versions are published"),
        ((*FIT, "--colour", "red", "--store", "x"), "No such option: --colour; see python -m training fit --help"),
        (("--name", "iris", "--store", "x"), "Missing option '--target'; see python -m training fit --help"),
    ],
)
def test_options_that_fit_would_refuse_are_told_before_there_is_a_table(
    folder: Folder, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert main(["watch", str(folder.store.path("x").parent), *words]) == 2
    assert capsys.readouterr().err == f"error: {said}\n"


def test_a_watch_that_is_stopped_in_a_fit_leaves_the_table_for_the_next_one(folder: Folder, tmp_path: Path) -> None:
    """Stopped a moment later it has published, and then it says so before it ends."""
    folder.store.put("incoming-training/a.csv", IRIS.read_bytes())
    root = str(folder.store.path("x").parent)
    with watching(tmp_path, root, root, environment={}):
        eventually(lambda: "fitting" in (tmp_path / "watch.log").read_text(), PATIENCE)
    assert (tmp_path / "watch.log").read_text().splitlines()[-1] == "stopped"
    published = [version for version in catalogue.contents(folder.store, "iris").versions if version != VERSION]
    told = list(folder.store.keys("trained/"))
    assert len(published) == len(told)
    assert main(["watch", root, "--once", "--store", root, *FIT]) == 0
    assert summary_of(folder.store, "a.csv").status == "promoted"
    assert len(catalogue.history(folder.store, "iris", "live")) == 2
