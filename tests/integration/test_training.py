"""`python -m training fit` to a folder and to plain files: what it publishes, what it prints, and how it stops."""

import gzip
import hashlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from functions import loader
from functions.registry import alias
from functions.registry.folder import FolderStore
from functions.registry.manifest import decode
from functions.registry.store import Stat
from tests.page_reader import read, section
from tests.training_runs import IRIS, PROJECT, VERSION, everything_in, table, train
from training import run, stopping
from training.endings import Stopped

ARTIFACTS = ("model.joblib", "model.onnx")

COMMAND: list[str | Path] = [sys.executable, "-m", "training", "fit"]


def publish(capsys: pytest.CaptureFixture[str], folder: Path, *more: str) -> str:
    """Trains on iris and gives the version."""
    done = train(capsys, IRIS, "--target", "species", "--name", "iris", "--store", folder, *more)
    assert (done.code, done.err) == (0, "")
    found = re.search(VERSION, done.out)
    assert found
    return found[0]


def test_the_published_model_answers_with_scikit_learns_own_labels(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    publish(capsys, tmp_path)
    model = loader.load(FolderStore(tmp_path), loader.Reference("iris"))
    iris = pd.read_csv(IRIS)
    features = iris.drop(columns="species")
    body = FolderStore(tmp_path).get(f"models/iris/versions/{model.version}/model.joblib").body
    again = clone(joblib.load(io.BytesIO(body))).fit(features, iris["species"])
    found = model.predict(features.to_numpy().tolist())
    assert found.classes is not None
    assert [model.signature.classes[index] for index in found.classes] == again.predict(features).tolist()
    assert np.asarray(found.probabilities) == pytest.approx(again.predict_proba(features), abs=1e-9)


def test_a_run_ends_with_its_version_its_score_beside_a_dummys_and_where_it_lies(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    done = train(
        capsys, IRIS, "--target", "species", "--name", "iris", "--store", tmp_path, "--by", "anna", "--alias", "blue"
    )
    store = FolderStore(tmp_path)
    now = alias.read(store, "iris", "blue")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "column        kind      role     missing  distinct\n"
        "sepal_length  number    feature        0        35\n"
        "sepal_width   number    feature        0        23\n"
        "petal_length  number    feature        0        43\n"
        "petal_width   number    feature        0        22\n"
        "species       category  target         0         3\n"
        f"read {IRIS}: 150 rows, 4 features, species with 3 classes (setosa 50, versicolor 50, virginica 50)\n"
        "30 of 150 rows held out, by chance within each class\n"
        "fitting 20 candidates in 3 folds\n"
        "note: the published pipeline is the chosen one fitted again on all 150 rows; the figures are of the one "
        "fitted on the 120 that were not held out\n"
        "chose 3 PCA components, C=10 out of 20 candidates\n"
        "served by its ONNX twin, in double precision: the same labels on 4443 rows, numbers within 1e-05\n"
        "checked: it loads, and its 6 golden rows come out the same\n"
        "accuracy 0.967 ± 0.012 in 3-fold cross-validation\n"
        "accuracy 1.000 (95 % interval 0.884 to 1.000) on 30 held-out rows; always answering the commonest class: "
        "0.333\n"
        f"published iris {now.version} at {tmp_path.as_uri()}/models/iris/versions/{now.version}/\n"
        f"blue is now {now.version}\n"
    )
    assert (now.previous, now.by) == (None, "anna")


def test_a_version_holds_the_pipeline_its_metrics_and_a_manifest_that_agree(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    version = publish(capsys, tmp_path)
    files = everything_in(FolderStore(tmp_path))
    folder = f"models/iris/versions/{version}/"
    assert sorted(files) == [
        "models/iris/aliases/live.json",
        *(folder + name for name in ("manifest.json", "metrics.json", *ARTIFACTS, "report.html")),
    ]
    manifest = decode(files[folder + "manifest.json"])
    metrics = json.loads(files[folder + "metrics.json"])
    assert (manifest.name, manifest.version, manifest.task, manifest.target) == (
        "iris",
        version,
        "classification",
        "species",
    )
    assert manifest.classes == ["setosa", "versicolor", "virginica"]
    assert [(feature.name, feature.dtype, feature.nullable) for feature in manifest.features] == [
        ("sepal_length", "float64", False),
        ("sepal_width", "float64", False),
        ("petal_length", "float64", False),
        ("petal_width", "float64", False),
    ]
    assert manifest.engine.name == "onnx"
    assert manifest.engine.parity is not None
    assert (manifest.engine.parity.precision, manifest.engine.parity.label_differences) == ("double", 0)
    assert [(one.key, one.sha256) for one in manifest.artifacts] == [
        (key, hashlib.sha256(files[folder + key]).hexdigest()) for key in ARTIFACTS
    ]
    assert (manifest.data.rows, manifest.data.dropped) == (150, 0)
    searched, judged = metrics["cross_validation"], metrics["held_out"]
    assert manifest.metrics["accuracy_cross_validated"] == max(one["mean"] for one in searched["candidates"])
    assert manifest.metrics["accuracy_cross_validated_std"] == searched["candidates"][searched["best"]]["std"]
    assert {one["name"]: one["value"] for one in judged}.items() <= manifest.metrics.items()
    assert (metrics["model"]["name"], metrics["model"]["version"]) == ("iris", version)
    assert [(one["key"], one["sha256"], one["bytes"]) for one in metrics["serving"]["files"]] == [
        (one.key, one.sha256, one.size) for one in manifest.artifacts
    ]
    assert metrics["serving"]["golden_rows"] == len(manifest.golden)
    page = read(files[folder + "report.html"])
    assert [one.text for one in page.all("title")] == [f"iris {version} \u2013 model card"]
    assert section(page, "reproduce").all("pre")[0].text == metrics["command"]
    assert version.startswith(manifest.created.replace("-", "").replace(":", "").split("+")[0])


def test_training_again_moves_the_alias_and_keeps_the_version_before(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first = publish(capsys, tmp_path)
    before = everything_in(FolderStore(tmp_path))
    second = publish(capsys, tmp_path, "--seed", "1")
    assert second != first
    assert second[:16] >= first[:16]  # of versions in one second the digest decides
    now = alias.read(FolderStore(tmp_path), "iris", "live")
    assert (now.version, now.previous) == (second, first)
    after = everything_in(FolderStore(tmp_path))
    assert {key: after[key] for key in before if "/versions/" in key} == {
        key: body for key, body in before.items() if "/versions/" in key
    }


def test_the_same_data_and_seed_give_the_same_digest_and_the_same_bytes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    versions = [publish(capsys, tmp_path / place) for place in ("one", "two")]
    other = publish(capsys, tmp_path / "three", "--seed", "1")
    models = [
        [FolderStore(tmp_path / place).get(f"models/iris/versions/{version}/{key}").body for key in ARTIFACTS]
        for place, version in zip(("one", "two"), versions, strict=True)
    ]
    assert versions[0].split("-")[1] == versions[1].split("-")[1] != other.split("-")[1]
    assert models[0] == models[1]


def test_without_promotion_the_version_is_there_and_no_alias_moves(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first = publish(capsys, tmp_path)
    second = publish(capsys, tmp_path, "--no-promote", "--seed", "1")
    store = FolderStore(tmp_path)
    assert alias.read(store, "iris", "live").version == first
    assert loader.load_version(store, "iris", second).version == second


def test_plain_files_are_a_model_and_a_manifest_that_vouches_for_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    output = tmp_path / "new folder" / "my model.joblib"
    done = train(capsys, IRIS, "--target", "species", "--name", "iris", "--output", output)
    assert (done.code, done.err) == (0, "")
    endings = ("onnx", "report.html", "metrics.json", "manifest.json")
    beside = [output.parent / f"my model.{ending}" for ending in endings]
    assert sorted(output.parent.iterdir()) == sorted([output, *beside])
    manifest = decode(beside[3].read_bytes())
    written = ", ".join(map(str, [output, *beside[:3]]))
    assert done.out.splitlines()[-1] == f"wrote {written} and {beside[3]}, version {manifest.version}"
    model = loader.load_from(FolderStore(output.parent), "", manifest)
    assert (model.name, model.version) == ("iris", manifest.version)


def test_plain_files_replace_what_was_there_before(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output = tmp_path / "model.joblib"
    output.write_text("old")
    (tmp_path / "model.manifest.json").write_text("old")
    assert train(capsys, IRIS, "--target", "species", "--output", output).code == 0
    manifest = decode((tmp_path / "model.manifest.json").read_bytes())
    assert loader.load_from(FolderStore(tmp_path), "", manifest).name == "model"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("comma", table([]).encode()),
        ("crlf", table([], end="\r\n").encode()),
        ("no last line end", table([]).encode().rstrip()),
        ("blank lines", table(["", "", "1,2,p", "", ""]).encode()),
        ("byte order mark", b"\xef\xbb\xbf" + table([]).encode()),
        ("semicolon", table([]).replace(",", ";").encode()),
        ("tab", table([]).replace(",", "\t").encode()),
        ("quoted", table(['"1","2","p"']).encode()),
        ("gzip", gzip.compress(table([]).encode())),
        ("spaces", table([" 1 , 2\t,p"], header=" a , b,\ty").encode()),
        ("numbers", table(["5.,.5,p", "+5.1,1e3,p", "007,-0,q", "1e-400,0,q"]).encode()),
    ],
)
def test_a_table_may_be_written_in_many_ways(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    done = train(capsys, path, "--target", "y", "--output", tmp_path / "model.joblib")
    assert (done.code, done.err) == (0, "")
    manifest = decode((tmp_path / "model.manifest.json").read_bytes())
    assert [feature.name for feature in manifest.features] == ["a", "b"]
    assert manifest.classes == ["p", "q"]


def test_tabs_and_spaces_alone_are_missing_values_and_not_blank_lines(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "table.tsv"
    path.write_text(table(["\t\t", " \t \t ", "\t\tp", "  \t1\tq"]).replace(",", "\t"))
    assert train(capsys, path, "--target", "y", "--output", tmp_path / "model.joblib").code == 0
    manifest = decode((tmp_path / "model.manifest.json").read_bytes())
    assert (manifest.data.rows, manifest.data.dropped) == (14, 2)


def test_a_plain_model_is_named_after_its_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for stem, name in (("iris_2", "iris_2"), ("ü my  model.v2", "my-model.v2"), ("日本", "model")):
        assert train(capsys, IRIS, "--target", "species", "--output", tmp_path / f"{stem}.joblib").code == 0
        assert decode((tmp_path / f"{stem}.manifest.json").read_bytes()).name == name


def test_another_separator_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "table"
    path.write_text(table([]).replace(",", "|"))
    done = train(capsys, path, "--target", "y", "--output", tmp_path / "model.joblib", "--separator", "|")
    assert (done.code, done.err) == (0, "")


def test_columns_that_are_no_numbers_are_left_out_on_demand(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["id,a,,a note,y", *(f"x{n},{n}.5,{n},n{n},{'pq'[n % 2]}" for n in range(12)), ""]))
    done = train(
        capsys,
        path,
        "--target",
        "y",
        "--output",
        tmp_path / "m.joblib",
        "--drop",
        "id",
        "--drop",
        "a note",
        "--drop",
        "",
    )
    assert (done.code, done.err) == (0, "")
    assert [one.name for one in decode((tmp_path / "m.manifest.json").read_bytes()).features] == ["a"]


def test_missing_values_and_missing_targets_are_told_and_counted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(table(["NA,1,p", "2,,q", "3,not a number,", "4,5,NULL"]))
    done = train(capsys, path, "--target", "y", "--output", tmp_path / "m.joblib")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[:7] == [
        "column  kind      role     missing  distinct",
        "a       number    feature        1        13",
        "b       number    feature        1         5",
        "y       category  target         2         2  2 rows without it left out",
        f"read {path}: 14 rows, 2 features, y with 2 classes (p 7, q 7); 2 without a target left out",
        "no row held out, for 3 of 14 rows are too few to hold out; the figures are of the folds, which the search saw",
        "fitting 10 candidates in 3 folds",
    ]
    assert "note: a missing number is replaced by its column's median" in done.out.splitlines()
    manifest = decode((tmp_path / "m.manifest.json").read_bytes())
    assert (manifest.data.rows, manifest.data.dropped) == (14, 2)
    assert [feature.nullable for feature in manifest.features] == [True, True]
    model = loader.load_from(FolderStore(tmp_path), "", manifest)
    assert model.predict([[None, 1.0], [2.0, None]]).classes is not None


@pytest.mark.parametrize(
    ("spelled", "classes"),
    [
        (["0", "1"], [0, 1]),
        (["true", "false"], [False, True]),
        (["yes", "no"], ["no", "yes"]),
        (["01", "1"], ["01", "1"]),
    ],
)
def test_classes_are_numbers_booleans_or_texts_as_the_table_spells_them(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, spelled: Sequence[str], classes: list[object]
) -> None:
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["a,y", *(f"{n % 2}.{n},{spelled[n % 2]}" for n in range(12)), ""]))
    assert train(capsys, path, "--target", "y", "--output", tmp_path / "m.joblib").code == 0
    manifest = decode((tmp_path / "m.manifest.json").read_bytes())
    assert manifest.classes == classes
    assert [type(one) for one in manifest.classes] == [type(one) for one in classes]
    assert loader.load_from(FolderStore(tmp_path), "", manifest).signature.classes == classes


def test_in_a_process_of_its_own_it_prints_plain_lines_and_nothing_on_standard_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, IRIS, "--target", "species", "--name", "iris", "--store", tmp_path],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 17


def test_an_output_that_takes_no_more_is_the_environments_failure(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*COMMAND, IRIS, "--target", "species", "--output", tmp_path / "m.joblib"],
            cwd=PROJECT, stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (1, "error: No space left on device\n")
    assert list(tmp_path.iterdir()) == []


def test_on_a_terminal_it_shows_its_progress(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    command = [*COMMAND, IRIS, "--target", "species", "--output", tmp_path / "m.joblib"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, cwd=PROJECT, stdout=slave, stderr=slave, env=environment) as process:
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:  # how Linux says that the other end of a terminal was closed
            pass
        os.close(master)
    assert process.returncode == 0
    assert b"/60" in shown
    assert b"fitting 20 candidates in 3 folds" in shown


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_one_line_and_nothing_published(tmp_path: Path, number: int, code: int) -> None:
    """Stopped in the fit: the table is large enough for that to be where it is when its second line was read."""
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(60_000, 20)))
    rows["y"] = rng.integers(0, 4, len(rows))
    rows.to_csv(tmp_path / "table.csv", index=False)
    command = [*COMMAND, tmp_path / "table.csv", "--target", "y", "--name", "m", "--store", tmp_path / "store"]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while not process.stdout.readline().startswith("fitting"):
            assert process.poll() is None
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "stopped; nothing was published\n")
    assert everything_in(FolderStore(tmp_path / "store")) == {}


class Interrupting(FolderStore):
    """A folder at whose every write the process is told to stop."""

    def put(self, key: str, body: bytes, *, create: bool = False, if_match: str | None = None) -> Stat:
        written = super().put(key, body, create=create, if_match=if_match)
        os.kill(os.getpid(), signal.SIGINT)
        return written


def test_publishing_that_has_begun_is_brought_to_its_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(run, "open_store", lambda _url: Interrupting(tmp_path))
    handlers = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    stopping.stop_on_signals()
    try:
        done = train(capsys, IRIS, "--target", "species", "--name", "iris", "--store", tmp_path)
        with pytest.raises(Stopped):  # and a stop means a stop again
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert (done.code, done.err) == (0, "")
    assert loader.load(FolderStore(tmp_path), loader.Reference("iris")).name == "iris"
