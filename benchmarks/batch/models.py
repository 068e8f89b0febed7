"""The models that the files are scored by, published into a folder store as training publishes them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from benchmarks.batch.tables import CITIES, IRIS
from benchmarks.stage import PROJECT
from functions.registry.folder import FolderStore
from functions.signature import Cell, Feature, Signature
from tests.models import VERSION, publish_model
from training.twin.export import export

TREES = 100
FOREST_ROWS = 5000
NUMBERS, TEXTS = [f"number_{at:03}" for at in range(0, 80, 2)], [f"city_{at:02}" for at in range(4)]
"""The features of the wide model; its file's other columns only pass through."""


def publish(root: Path) -> None:
    """Publishes `flowers`, `forest`, `forest-by-joblib` and `wide` into the store at `root`."""
    _train_flowers(root)
    store = FolderStore(root)
    _publish_forest(store)
    _publish_wide(store)


def version_folder(root: Path, name: str) -> Path:
    """Where the live version's artifacts lie."""
    alias = json.loads((root / "models" / name / "aliases" / "live.json").read_text())
    return root / "models" / name / "versions" / str(alias["version"])


def _train_flowers(root: Path) -> None:
    data = ["data/iris.csv", "--target", "species", "--name", "flowers", "--store", str(root)]
    command = [sys.executable, "-m", "training", "fit", *data]
    subprocess.run(command, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)


def _publish_forest(store: FolderStore) -> None:
    """Once with its twin, and once without: some ten thousand leaves, as a forest of data that overlap has them."""
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {name: random.integers(low, high, FOREST_ROWS) / 100 for name, (low, high) in IRIS.items()}, columns=list(IRIS)
    )
    grown = table["petal_length"] + 2 * table["petal_width"] + random.normal(0, 1.5, FOREST_ROWS)
    species = np.array(["setosa", "versicolor", "virginica"])[np.digitize(grown, [5.0, 8.0])]
    forest = RandomForestClassifier(TREES, min_samples_leaf=5, random_state=0, n_jobs=-1).fit(table, species)
    features = [Feature(name, "float64", False, None, low / 100, high / 100) for name, (low, high) in IRIS.items()]
    signature = Signature("classification", features, "species", forest.classes_.tolist())
    rows: list[list[Cell]] = [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]
    twin = export(forest, signature, "double")
    publish_model(store, forest, signature, rows, name="forest", twin=twin)
    publish_model(store, forest, signature, rows, name="forest-by-joblib")


def _publish_wide(store: FolderStore) -> None:
    """Forty numbers and four categories, scaled and one-hot, then logistic regression."""
    random = np.random.default_rng(0)
    count = 2000
    table = pd.DataFrame({name: random.integers(0, 1000, count) / 100 for name in NUMBERS})
    for name in TEXTS:
        table[name] = pd.Series(random.choice(CITIES, count), dtype="str")
    target = np.where(table[NUMBERS[0]] + table[NUMBERS[1]] + (table[TEXTS[0]] == CITIES[0]) > 10, "yes", "no")
    steps = make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), TEXTS))
    pipeline = make_pipeline(steps, LogisticRegression(max_iter=1000)).fit(table, target)
    features = [Feature(name, "float64", False, None, 0.0, 9.99) for name in NUMBERS]
    features += [Feature(name, "string", False, sorted(CITIES)) for name in TEXTS]
    signature = Signature("classification", features, "answer", pipeline.classes_.tolist())
    rows: list[list[Any]] = table[signature.names].head(3).astype(object).values.tolist()
    twin = export(pipeline, signature, "double")
    publish_model(store, pipeline, signature, rows, name="wide", twin=twin, version=VERSION)
