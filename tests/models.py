"""Small fitted models, published the way training publishes; real pipelines, made in a fraction of a second."""

import io
from collections.abc import Sequence
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from functions.inference.joblib_engine import JoblibEngine
from functions.registry import alias
from functions.registry.manifest import Artifact, Data, Engine, GoldenRow, Manifest, Parity
from functions.registry.memory import MemoryStore
from functions.registry.publish import publish
from functions.registry.store import Store
from functions.signature import Cell, Feature, Signature

if TYPE_CHECKING:
    from training.publication import Publication

IRIS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
VERSION = "20261122T195207Z-1f0c9a2b"


@cache
def iris_pipeline(strength: float = 1.0) -> Any:
    data = load_iris()
    labels = np.array(["setosa", "versicolor", "virginica"])[data.target]
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength)).fit(
        pd.DataFrame(data.data, columns=IRIS), labels
    )


def publish_iris(
    store: Store, version: str = VERSION, *, name: str = "iris", move: bool = True, twin: bool = False
) -> Manifest:
    """A classifier of four numbers, no missing values."""
    signature = iris_signature()
    body = iris_twin(signature) if twin else None
    return publish_model(store, iris_pipeline(), signature, IRIS_ROWS, name=name, version=version, move=move, twin=body)


def iris_signature() -> Signature:
    features = [
        Feature("sepal_length", "float64", False, None, 4.3, 7.9, 5.843, 0.825),
        Feature("sepal_width", "float64", False, None, 2.0, 4.4, 3.057, 0.434),
        Feature("petal_length", "float64", False, None, 1.0, 6.9, 3.758, 1.759),
        Feature("petal_width", "float64", False, None, 0.1, 2.5, 1.199, 0.76),
    ]
    return Signature("classification", features, "species", ["setosa", "versicolor", "virginica"])


IRIS_ROWS: list[list[Cell]] = [[5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 5.1, 1.6], [6.3, 2.5, 6.0, 2.5]]


@cache
def iris_publication(version: str, strength: float) -> "Publication":
    """What `fit` would publish; `strength` (of the regularisation) makes one model's bytes differ from another's."""
    from training.publication import Publication

    pipeline, store, signature = iris_pipeline(strength), MemoryStore(), iris_signature()
    twin = iris_twin(signature, strength)
    manifest = publish_model(store, pipeline, signature, IRIS_ROWS, name="iris", version=version, move=False, twin=twin)
    files = {
        artifact.key: store.get(f"models/iris/versions/{version}/{artifact.key}").body
        for artifact in manifest.artifacts
    }
    return Publication(manifest, files | {"metrics.json": b"{}"})


def iris_twin(signature: Signature, strength: float = 1.0) -> bytes:
    if strength not in TWINS:
        from training.twin.export import export  # takes a second, which most tests need not

        TWINS[strength] = export(iris_pipeline(strength), signature, "double")
    return TWINS[strength]


TWINS: dict[float, bytes] = {}


@cache
def mixed_pipeline() -> Any:
    frame = pd.DataFrame(
        {
            "age": [22.0, 35.0, np.nan, 58.0, 41.0, 19.0],
            "city": pd.Series(["Bern", "Genf", "Bern", None, "Genf", "Basel"], dtype="str"),
            "member": [0.0, 1.0, 1.0, np.nan, 0.0, 1.0],
        }
    )
    encode = make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore"))
    columns = make_column_transformer((SimpleImputer(), ["age", "member"]), (encode, ["city"]))
    return make_pipeline(columns, LogisticRegression()).fit(frame, [True, False, True, False, False, True])


def publish_mixed(store: Store, version: str = VERSION) -> Manifest:
    """A binary classifier of a number, a text and a boolean, each with missing values; boolean classes."""
    features = [
        Feature("age", "float64", True, None, 19.0, 58.0, 35.0, 14.0),
        Feature("city", "string", True, ["Basel", "Bern", "Genf"]),
        Feature("member", "bool", True),
    ]
    signature = Signature("classification", features, "stays", [False, True])
    rows: list[list[Cell]] = [[22.0, "Bern", False], [None, "Genf", True], [58.0, None, None]]
    return publish_model(store, mixed_pipeline(), signature, rows, name="mixed", version=version)


@cache
def regression_pipeline() -> Any:
    return make_pipeline(StandardScaler(), LinearRegression()).fit(
        pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 0.0, 1.0, 2.0]}), [0.5, 1.5, 3.5, 6.0]
    )


def publish_regression(store: Store, version: str = VERSION) -> Manifest:
    """A regression of two numbers."""
    features = [
        Feature("x", "float64", False, None, 0.0, 3.0, 1.5, 1.118),
        Feature("y", "float64", False, None, 0.0, 2.0, 1.0, 0.707),
    ]
    signature = Signature("regression", features, "price", [])
    return publish_model(
        store, regression_pipeline(), signature, [[0.0, 1.0], [2.5, 1.5]], name="price", version=version
    )


def publish_model(
    store: Store,
    pipeline: Any,
    signature: Signature,
    rows: Sequence[list[Cell]],
    *,
    name: str,
    version: str = VERSION,
    move: bool = True,
    twin: bytes | None = None,
) -> Manifest:
    """Publishes a fitted pipeline; with a twin, that serves."""
    buffer = io.BytesIO()
    joblib.dump(pipeline, buffer)
    files = {"model.joblib": buffer.getvalue()} | ({"model.onnx": twin} if twin else {})
    libraries = {
        "python": "3.13.5",
        "scikit-learn": sklearn.__version__,
        "onnxruntime": metadata.version("onnxruntime"),
    }
    manifest = Manifest(
        manifest_version=1,
        name=name,
        version=version,
        created="2026-11-22T19:52:07Z",
        task=signature.task,
        features=signature.features,
        target=signature.target,
        classes=signature.classes,
        metrics={"accuracy": 0.97},
        artifacts=[Artifact.of(key, body) for key, body in files.items()],
        engine=Engine("onnx", 1e-5, Parity(150, 0, 0, 0.0, "double")) if twin else Engine("joblib", 1e-6),
        libraries=libraries,
        git_commit=None,
        data=Data("0" * 64, 150, 0),
        golden=golden(pipeline, signature, rows),
    )
    publish(store, manifest, files)
    if move:
        alias.move(store, name, "live", version, by="test")
    return manifest


def golden(pipeline: Any, signature: Signature, rows: Sequence[list[Cell]]) -> list[GoldenRow]:
    found = JoblibEngine(pipeline, signature).predict_rows(rows)
    if found.classes is None:
        return [GoldenRow(row, value, None) for row, value in zip(rows, found.values or [], strict=True)]
    probabilities: Sequence[Sequence[float] | None] = found.probabilities or [None] * len(rows)
    return [
        GoldenRow(row, signature.classes[index], None if chances is None else list(chances))
        for row, index, chances in zip(rows, found.classes, probabilities, strict=True)
    ]
