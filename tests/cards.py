"""Runs of the trainer as the card is given them: small real fits on real tables. They know no test."""

import shlex
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_absolute_error, root_mean_squared_error
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import LinearSVC

from functions.registry.manifest import Artifact, Data, Engine, GoldenRow, Manifest, Parity
from functions.signature import Feature, Signature
from training.card.facts import Facts
from training.evidence import Array, Candidate, ColumnProfile, Evidence, HeldOut, Metric

VERSION = "20261122T195207Z-1f0c9a2b"


def evidence(
    features: pd.DataFrame,
    truth: Array,
    pipeline: Any,
    grid: Mapping[str, Sequence[Any]],
    *,
    target: str,
    profiles: Sequence[ColumnProfile] | None = None,
    weights: Array | None = None,
    test_size: float = 0.25,
    notes: Sequence[str] = (),
) -> Evidence:
    """Searches and fits in earnest, on three quarters of the rows."""
    regression = np.asarray(truth).dtype.kind == "f"
    kept, held, kept_truth, held_truth = train_test_split(
        np.arange(len(features)), truth, test_size=test_size, random_state=0, stratify=None if regression else truth
    )
    scoring = "neg_root_mean_squared_error" if regression else "accuracy"
    train, test = features.iloc[kept], features.iloc[held]
    search = GridSearchCV(pipeline, dict(grid), cv=3, scoring=scoring).fit(train, kept_truth)
    found = search.cv_results_
    candidates = [
        Candidate(
            model=type(pipeline[-1]).__name__,
            parameters=parameters,
            fold_scores=[float(found[f"split{fold}_test_score"][index]) for fold in range(3)],
            mean=float(found["mean_test_score"][index]),
            std=float(found["std_test_score"][index]),
            seconds=0.01 * (index + 1),
        )
        for index, parameters in enumerate(found["params"])
    ]
    fitted = search.best_estimator_
    predicted = fitted.predict(test)
    signature = Signature(
        "regression" if regression else "classification",
        [_feature(str(name), features[name]) for name in features.columns],
        target,
        [] if regression else np.unique(truth).tolist(),
    )
    probabilities = fitted.predict_proba(test) if hasattr(fitted, "predict_proba") else None
    dummy = np.full(len(held_truth), np.mean(kept_truth)) if regression else None
    return Evidence(
        signature=signature,
        columns=list(profiles or []) or [_profile(name, features[name]) for name in features.columns],
        rows=len(features),
        dropped_rows=0,
        split="a quarter held out at random" + ("" if regression else ", stratified by class"),
        scoring=scoring,
        candidates=candidates,
        best=int(search.best_index_),
        train=train,
        train_truth=kept_truth,
        held_out=HeldOut(test, held_truth, predicted, probabilities, None if weights is None else weights[held]),
        metrics=_metrics(held_truth, predicted, dummy),
        pipeline=fitted,
        seed=0,
        command=f"python -m training fit table.csv --target {shlex.quote(target)} --output model.joblib --seed 0",
        notes=list(notes),
    )


def _metrics(truth: Array, predicted: Array, dummy: Array | None) -> list[Metric]:
    if dummy is not None:
        error = float(root_mean_squared_error(truth, predicted))
        near = float(mean_absolute_error(truth, predicted))
        return [
            Metric("rmse", error, error * 0.9, error * 1.1,
                   float(root_mean_squared_error(truth, dummy)), False),
            Metric("mae", near, near * 0.9, near * 1.1,
                   float(mean_absolute_error(truth, dummy)), False),
        ]  # fmt: skip
    accuracy = float(accuracy_score(truth, predicted))
    commonest = max(truth.tolist().count(one) for one in truth.tolist()) / len(truth)
    return [
        Metric("accuracy", accuracy, max(0.0, accuracy - 0.06), min(1.0, accuracy + 0.04), commonest, True),
        Metric("log_loss", 0.1234, 0.081, 0.1893, 1.0986, False),
    ]


def _feature(name: str, column: "pd.Series[Any]") -> Feature:
    gaps = bool(column.isna().any())
    if pd.api.types.is_numeric_dtype(column):
        present = column.dropna().astype(float)
        return Feature(
            name, "float64", gaps, None, float(present.min()), float(present.max()), float(present.mean()),
            float(present.std(ddof=0)),
        )  # fmt: skip
    return Feature(name, "string", gaps, sorted(column.dropna().unique().tolist()))


def _profile(name: Any, column: "pd.Series[Any]") -> ColumnProfile:
    numeric = pd.api.types.is_numeric_dtype(column)
    return ColumnProfile(
        name=str(name),
        kind="number" if numeric else "category",
        role="feature",
        reason="",
        missing=int(column.isna().sum()),
        distinct=int(column.nunique()),
        examples=[],
    )


def facts(found: Evidence, *, twin: bool = True, name: str = "flowers") -> Facts:
    """Publication facts as `training.publication` gathers them; the figures stand for any."""
    artifacts = [Artifact("model.joblib", 7_243, "1f" * 32)]
    engine = Engine("joblib", 1e-6, reason="skl2onnx does not translate a <Pipeline> of this kind")
    if twin:
        artifacts.append(Artifact("model.onnx", 1_318, "2e" * 32))
        engine = Engine("onnx", 1e-5, Parity(4_443, 0, 0, 2.2e-16, "double", 4_293))
    manifest = Manifest(
        manifest_version=1,
        name=name,
        version=VERSION,
        created="2026-11-22T19:52:07+00:00",
        task=found.signature.task,
        features=found.signature.features,
        target=found.signature.target,
        classes=found.signature.classes,
        metrics={},
        artifacts=artifacts,
        engine=engine,
        libraries={"python": "3.13.5", "scikit-learn": "1.9.1", "numpy": "2.5.1"},
        git_commit="2f7f8c0" + "0" * 33,
        data=Data("ab" * 32, found.rows, found.dropped_rows),
        golden=[GoldenRow([1.0], 1.0, None)] * 6,
    )
    return Facts(manifest, {"model.joblib": 0.0021, "model.onnx": 0.00071})


@cache
def iris() -> Evidence:
    data = load_iris(as_frame=True)
    frame = data.data.rename(columns=lambda name: name.removesuffix(" (cm)").replace(" ", "_"))
    labels = np.array(["setosa", "versicolor", "virginica"], dtype=object)[data.target]
    pipeline = Pipeline([("scale", StandardScaler()), ("reduce", PCA()), ("classify", LogisticRegression())])
    grid: dict[str, list[Any]] = {"classify__C": [0.01, 0.1, 1.0, 10.0, 100.0], "reduce__n_components": [2, 3, 4]}
    return evidence(frame, labels, pipeline, grid, target="species")


def mixed_table(rows: int = 900, seed: int = 0) -> tuple[pd.DataFrame, Array]:
    """Customers with numbers, texts and gaps; 30 % leave, for reasons that are in the columns."""
    rng = np.random.default_rng(seed)
    age = rng.normal(44, 14, rows).clip(18, 90).round()
    income = rng.lognormal(10.6, 0.5, rows).round(-2)
    months = rng.integers(0, 120, rows).astype(float)
    contract = rng.choice(["monthly", "yearly", "two years"], rows, p=[0.5, 0.3, 0.2]).astype(object)
    city = rng.choice(["Bern", "Genève", "Zürich", "Basel", "Lugano", "St. Gallen", "Chur"], rows).astype(object)
    calls = rng.poisson(2, rows).astype(float)
    chance = 1 / (1 + np.exp(-(-1.6 + 1.9 * (contract == "monthly") - 0.02 * months + 0.45 * (calls - 2))))
    truth = np.where(rng.random(rows) < chance, "leaves", "stays").astype(object)
    income[rng.random(rows) < 0.13] = np.nan
    age[rng.random(rows) < 0.04] = np.nan
    city[rng.random(rows) < 0.02] = None
    frame = pd.DataFrame({"age": age, "income <CHF>": income, "months": months, "calls": calls})
    return frame.assign(contract=pd.Series(contract, dtype=object), city=pd.Series(city, dtype=object)), truth


@cache
def mixed() -> Evidence:
    frame, truth = mixed_table()
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"), OneHotEncoder(handle_unknown="ignore")
    )
    columns = make_column_transformer((numbers, list(frame.columns[:4])), (texts, ["contract", "city"]))
    pipeline = Pipeline([("columns", columns), ("classify", LogisticRegression(max_iter=1000))])
    profiles = [_profile(name, frame[name]) for name in frame.columns]
    profiles += [
        ColumnProfile("customer", "id", "dropped", "a different text in each row: it names the row", 0, 900, ["c-1"]),
        ColumnProfile("remarks", "text", "dropped", "free text: 612 different texts of 38 letters", 105, 612, ["hi"]),
        ColumnProfile("country", "constant", "dropped", "the same in each row", 0, 1, ["CH"]),
        ColumnProfile("churn", "category", "target", "", 0, 2, ["leaves", "stays"]),
    ]
    grid = {"classify__C": [0.01, 0.1, 1.0, 10.0]}
    notes = ["12 rows are there twice; both were kept on the same side of the split"]
    return evidence(frame, truth, pipeline, grid, target="churn", profiles=profiles, notes=notes)


@cache
def diabetes() -> Evidence:
    data = load_diabetes(as_frame=True, scaled=False)
    pipeline = Pipeline([("scale", StandardScaler()), ("reduce", PCA()), ("predict", Ridge())])
    grid: dict[str, list[Any]] = {"predict__alpha": [0.1, 1.0, 10.0, 100.0], "reduce__n_components": [4, 7, 10]}
    return evidence(data.data, data.target.to_numpy(dtype=float), pipeline, grid, target="progression")


@cache
def cancer() -> Evidence:
    data = load_breast_cancer(as_frame=True)
    pipeline = Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())])
    weights = np.linspace(0.5, 2, len(data.target))
    return evidence(
        data.data, data.target.to_numpy(), pipeline, {"classify__C": [0.1, 1.0]}, target="benign", weights=weights
    )


@cache
def wide() -> Evidence:
    """500 columns, of which three tell something."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(240, 500)), columns=[f"gene_{index:03d}" for index in range(500)])
    truth = (frame["gene_007"] + frame["gene_123"] - frame["gene_499"] + rng.normal(0, 0.5, 240) > 0).to_numpy()
    pipeline = Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression(max_iter=1000))])
    return evidence(frame, truth, pipeline, {"classify__C": [0.01, 0.1]}, target="ill")


@cache
def many_classes() -> Evidence:
    """100 classes with names to be cut short."""
    rng = np.random.default_rng(0)
    places = rng.normal(size=(100, 6)) * 3
    owner = np.repeat(np.arange(100), 12)
    frame = pd.DataFrame(places[owner] + rng.normal(0, 1.2, (1200, 6)), columns=list("abcdef"))
    truth = np.array([f"the class with the number {index} and a long name" for index in owner], dtype=object)
    pipeline = Pipeline([("forest", RandomForestClassifier(20, random_state=0))])
    return evidence(frame, truth, pipeline, {"forest__max_depth": [8]}, target="class")


@cache
def without_probabilities() -> Evidence:
    frame, truth = mixed_table(200)
    pipeline = Pipeline([("impute", SimpleImputer()), ("svm", LinearSVC())])
    return evidence(frame[["age", "months", "calls"]], truth, pipeline, {"svm__C": [0.1, 1.0]}, target="churn")
