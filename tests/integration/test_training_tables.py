"""From a CSV to answers: fitted, published, served through predict's door and scored as a file, table by table."""

import csv
import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from functions import loader
from functions.inference.cells import FALSE, MISSING, TRUE
from functions.live import LiveModel
from functions.predict import PredictDoor
from functions.registry.folder import FolderStore
from functions.registry.manifest import Manifest, decode
from functions.score import main as score
from functions.signature import Cell, Feature
from tests.tables import TABLES, customers, rents
from tests.training_runs import train

CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")


def published(store: FolderStore, name: str) -> tuple[Manifest, Any]:
    """The live version's manifest, and its pipeline as scikit-learn loads it."""
    version = loader.resolve(store, loader.Reference(name))
    folder = f"models/{name}/versions/{version}/"
    manifest = decode(store.get(folder + "manifest.json").body)
    return manifest, joblib.load(io.BytesIO(store.get(folder + "model.joblib").body))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def cell_of(text: str, feature: Feature) -> Cell:
    """A cell as a client would send it, read without the project's own grammar."""
    if text.strip() in MISSING:
        return None
    return (
        text
        if feature.dtype == "string"
        else float(text)
        if feature.dtype == "float64"
        else {**dict.fromkeys(TRUE, True), **dict.fromkeys(FALSE, False)}[text]
    )


def as_scikit_learn_has_it(rows: list[dict[str, Cell]], features: list[Feature]) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for feature in features:
        cells = [row[feature.name] for row in rows]
        if feature.dtype == "string":
            columns[feature.name] = pd.Series(cells, dtype="str")
        elif feature.dtype == "bool" and not feature.nullable:
            columns[feature.name] = np.array(cells, dtype=bool)
        else:
            columns[feature.name] = np.array([np.nan if cell is None else float(cell) for cell in cells])
    return pd.DataFrame(columns)


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_fitted_published_served_and_scored_as_scikit_learn_answers(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    make, target = TABLES[name]
    path = make(tmp_path / f"{name}.csv")
    done = train(capsys, path, "--target", target, "--name", name, "--store", tmp_path / "store")
    assert (done.code, done.err) == (0, "")
    assert "served by its ONNX twin, in double precision" in done.out
    store = FolderStore(tmp_path / "store")
    manifest, pipeline = published(store, name)

    instances = [{one.name: cell_of(row[one.name], one) for one in manifest.features} for row in rows_of(path)]
    expected = pipeline.predict(as_scikit_learn_has_it(instances, manifest.features)).tolist()
    door = PredictDoor(LiveModel(loader.RegistrySource(store, loader.Reference(name))).start())
    answer = door({"instances": instances}, CONTEXT)
    scored = tmp_path / "scored.csv"
    assert score(["--model", str(tmp_path / "store"), "--name", name, str(path), str(scored)]) == 0
    there = [row["prediction"] for row in rows_of(scored)]
    if manifest.task == "regression":
        assert answer["predictions"] == pytest.approx(expected, rel=1e-9)
        assert [float(text) for text in there] == pytest.approx(expected, rel=1e-9)
        assert "probabilities" not in answer
    else:
        assert answer["predictions"] == there == expected
        assert [sum(row.values()) for row in answer["probabilities"]] == pytest.approx([1.0] * len(expected))


def test_columns_are_shown_with_what_becomes_of_them_and_why(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = customers(tmp_path / "customers.csv")
    done = train(capsys, path, "--target", "stays", "--output", tmp_path / "m.joblib")
    assert done.out.splitlines()[:11] == [
        "column       kind      role     missing  distinct",
        "customer_id  id        dropped        0       297  "
        "297 different in 297 rows; --type customer_id=category keeps it",
        "joined       date      dropped        0       297  "
        "a date, and serving takes numbers, booleans and texts; add what it tells as a column",
        "age          number    feature        0        61",
        "income       number    feature       27       270",
        "city         category  feature       18         4",
        "plan         category  feature        0         3",
        "newsletter   boolean   feature       13         2",
        "remark       text      dropped        0       297  "
        "written text, 297 different in 297 rows; --type remark=category keeps it",
        "country      constant  dropped        0         1  the same in every row",
        "stays        category  target         3         2  3 rows without it left out",
    ]
    manifest = decode((tmp_path / "m.manifest.json").read_bytes())
    assert [(one.name, one.dtype, one.nullable, one.categories) for one in manifest.features] == [
        ("age", "float64", False, None),
        ("income", "float64", True, None),
        ("city", "string", True, ["Basel, Stadt", "Bern", "Genf", "Zürich"]),
        ("plan", "string", False, ["free", "plus", "pro"]),
        ("newsletter", "bool", True, None),
    ]
    assert manifest.classes == ["no", "yes"]
    assert (manifest.data.rows, manifest.data.dropped) == (297, 3)
    assert [any(row.row[at] is None for row in manifest.golden) for at in range(5)] == [False, True, True, False, True]


def test_the_parts_that_columns_play_are_those_that_were_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = customers(tmp_path / "customers.csv")
    words = ["--target stays --features plan --features age --type age=category --weight income --group joined"]
    options = [*" ".join(words).split(), "--positive-class", "no", "--output", str(tmp_path / "m.joblib")]
    done = train(capsys, path, *options)
    assert (done.code, done.err) == (
        2,
        f"error: {path}: line 5, --weight 'income': there is no value (in 27 rows); fill it, or leave the row out\n",
    )
    rows = [row for row in rows_of(path) if row["income"]]
    with path.open("w", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    done = train(capsys, path, *options)
    assert (done.code, done.err) == (0, "")
    roles = {line.split()[0]: line.split()[1:3] for line in done.out.splitlines()[1:11] if "not among" not in line}
    assert roles == {
        "joined": ["category", "group"],
        "age": ["category", "feature"],
        "income": ["number", "weight"],
        "plan": ["category", "feature"],
        "stays": ["category", "target"],
    }
    manifest = decode((tmp_path / "m.manifest.json").read_bytes())
    assert [(one.name, one.dtype) for one in manifest.features] == [("age", "string"), ("plan", "string")]
    assert "rows held out, whole groups" in done.out


def test_models_are_compared_and_the_best_is_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = rents(tmp_path / "rents.csv")
    done = train(capsys, path, "--target", "rent", "--output", tmp_path / "m.joblib", "--models")
    assert (done.code, done.err) == (0, "")
    assert "fitting 5 linear, 3 forest, 4 boosting candidates in 3 folds" in done.out.splitlines()
    best = joblib.load(tmp_path / "m.joblib")
    assert type(best.steps[-1][1]).__name__ == "HistGradientBoostingRegressor"
    assert "chose boosting, max_leaf_nodes=7, learning_rate=0.1 out of 12 candidates" in done.out.splitlines()
    assert "served by its ONNX twin" in done.out


def test_what_is_published_is_fitted_on_all_rows_and_judged_on_those_held_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = rents(tmp_path / "rents.csv")
    store = tmp_path / "store"
    done = train(capsys, path, "--target", "rent", "--name", "rents", "--store", store)
    manifest, pipeline = published(FolderStore(store), "rents")
    key = f"models/rents/versions/{manifest.version}/metrics.json"
    told = json.loads(FolderStore(store).get(key).body)
    means = pipeline.named_steps["prepare"].named_transformers_["numbers"].named_steps["scale"].mean_
    rooms = [float(row["rooms"]) for row in rows_of(path)]
    assert means[0] == pytest.approx(np.mean(rooms))  # of all 240 rows
    assert told["data"]["split"] == "48 of 240 rows held out, by chance"
    assert told["notes"][-1] == (
        "the published pipeline is the chosen one fitted again on all 240 rows; the figures are of the one fitted on "
        "the 192 that were not held out"
    )
    assert f"note: {told['notes'][-1]}" in done.out.splitlines()
    r2 = told["held_out"][0]
    assert (r2["name"], manifest.metrics["r2"]) == ("r2", r2["value"])
    assert r2["low"] < r2["value"] < r2["high"]
    assert r2["baseline"] <= 0


def test_of_a_target_with_a_double_among_the_columns_the_double_is_left_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(
        "a,again,answer,code,y\n"
        + "".join(f"{n * n % 7}.5,{n * n % 7}.5,{'pq'[n % 2]},{n % 2},{'pq'[n % 2]}\n" for n in range(40))
    )
    done = train(capsys, path, "--target", "y", "--output", tmp_path / "m.joblib")
    lines = done.out.splitlines()
    assert "again   duplicate  dropped        0         4  the same as 'a' in every row" in lines
    assert "answer  duplicate  dropped        0         2  the same as the target 'y' in every row" in lines
    assert "note: 'code' has one value for each class of 'y'; is it known before the answer is?" in lines
