"""A search in several processes and on a real Dask cluster finds what one process finds, whatever the clock."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from functions.registry.manifest import decode
from tests.tables import customers
from tests.training_runs import PROJECT

CLUSTER = """\
import sys
from distributed import LocalCluster

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()
"""
SCORED = """\
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.compose import make_column_transformer
from sklearn.preprocessing import OneHotEncoder


def errors_of_yes(pipeline, features, truth):  # no worker can import it
    return -float(((pipeline.predict(features) == "no") & (truth == "yes")).mean())


def search():
    texts = OneHotEncoder(handle_unknown="ignore"), ["city", "plan"]
    columns = make_column_transformer(texts, ("passthrough", ["age"]))
    pipeline = make_pipeline(columns, LogisticRegression(max_iter=5000))
    return GridSearchCV(pipeline, {"logisticregression__C": [0.01, 0.1, 1, 10]}, scoring=errors_of_yes)
"""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers, processes of their own that do not have this project on their path."""
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "cluster.py").write_text(CLUSTER)
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        [sys.executable, "cluster.py"], cwd=folder, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


def fit(folder: Path, *more: str, hashes: str = "0") -> tuple[str, bytes, list[str]]:
    """In a process of its own: the digest in the version's name, the twin's bytes, and what was printed."""
    path = folder / "customers.csv"
    if not path.exists():
        customers(path)
    (folder / "scored.py").write_text(SCORED)
    output = folder / "m.joblib"
    command = [sys.executable, "-m", "training", "fit", str(path), "--target", "stays", "--output", str(output), *more]
    environment = {**os.environ, "PYTHONHASHSEED": hashes}
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    manifest = decode(output.with_suffix(".manifest.json").read_bytes())
    assert manifest.created  # a second or more apart
    return manifest.version.split("-")[1], output.with_suffix(".onnx").read_bytes(), done.stdout.splitlines()


def scores(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith(("accuracy", "its own score", "chose", "served"))]


def test_several_processes_find_what_one_process_finds_and_the_clock_changes_no_digest(tmp_path: Path) -> None:
    alone = fit(tmp_path, hashes="1")
    several = fit(tmp_path, "--jobs", "2", hashes="2")
    assert alone[:2] == several[:2]
    assert scores(alone[2]) == scores(several[2])
    assert any(line.endswith("in 2 processes") for line in several[2])


def test_a_cluster_finds_what_one_process_finds_also_by_code_that_only_this_process_has(
    tmp_path: Path, cluster: str
) -> None:
    own = ["--pipeline", f"{tmp_path / 'scored.py'}:search"]
    alone = fit(tmp_path, *own, hashes="1")
    on_cluster = fit(tmp_path, *own, "--scheduler", cluster, hashes="2")
    assert alone[:2] == on_cluster[:2]
    assert scores(alone[2]) == scores(on_cluster[2])
    assert any(line.endswith("on 2 Dask workers") for line in on_cluster[2])


def refused(tmp_path: Path, address: str) -> tuple[int, str]:
    path = customers(tmp_path / "customers.csv")
    options = ["--target", "stays", "--output", str(tmp_path / "m.joblib"), "--scheduler", address]
    command = [sys.executable, "-m", "training", "fit", str(path), *options]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert not (tmp_path / "m.joblib").exists()
    return done.returncode, done.stderr


def test_a_scheduler_that_does_not_answer_is_the_environments_failure(tmp_path: Path) -> None:
    with unanswered() as address:
        assert refused(tmp_path, address) == (
            1,
            f"error: no Dask scheduler answers at {address}; is it running?\n",
        )


def test_an_address_that_is_none_is_the_users_mistake(tmp_path: Path) -> None:
    said = "error: --scheduler is 'gopher://nowhere:1'; write tcp://host:port\n"
    assert refused(tmp_path, "gopher://nowhere:1") == (2, said)


@contextmanager
def unanswered() -> Iterator[str]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening
        yield f"tcp://127.0.0.1:{held.getsockname()[1]}"
