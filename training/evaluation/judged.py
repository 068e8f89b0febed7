"""A pipeline's figures on rows it has not seen, with 95 % intervals and a dummy's beside them. It fits the dummy alone.

The intervals are of the rows: the same pipeline on as many other rows. They say nothing of another fit.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.dummy import DummyClassifier, DummyRegressor

from functions.signature import Label, Signature
from training.evaluation import figures, resampling
from training.evidence import Metric
from training.models.plan import weighted


@dataclass(frozen=True, slots=True)
class Answers:
    """Of m rows: labels or numbers, and probabilities (m by classes, in the signature's order) or None."""

    predicted: Any
    probabilities: Any


def answers_of(pipeline: Any, features: pd.DataFrame, signature: Signature) -> Answers:
    """What a pipeline says; a class that its rows did not have gets the probability 0."""
    predicted = np.asarray(pipeline.predict(features))
    if signature.task == "regression":
        return Answers(predicted.reshape(-1).astype(np.float64), None)
    if not hasattr(pipeline, "predict_proba"):
        return Answers(predicted, None)
    aligned = np.zeros((len(features), len(signature.classes)))
    places = {label: place for place, label in enumerate(signature.classes)}
    aligned[:, [places[label] for label in np.asarray(pipeline.classes_).tolist()]] = pipeline.predict_proba(features)
    return Answers(predicted, aligned)


def fold_answers(
    unfitted: Any, features: pd.DataFrame, truth: Any, weights: Any, folds: Any, signature: Signature
) -> tuple[Any, Answers]:
    """The rows that some fold predicts, and what it says of them, fitted on its others."""
    tested, parts = [], []
    for train, test in folds:
        given = weighted(unfitted, None if weights is None else weights[train])
        fitted = clone(unfitted).fit(features.iloc[train], truth[train], **given)
        tested.append(test)
        parts.append(answers_of(fitted, features.iloc[test], signature))
    rows = np.concatenate(tested)
    probabilities = None if parts[0].probabilities is None else np.concatenate([one.probabilities for one in parts])
    return rows, Answers(np.concatenate([one.predicted for one in parts]), probabilities)


def dummy(signature: Signature) -> Any:
    """Answers without looking: the commonest class, and how common each is; the mean."""
    return DummyClassifier(strategy="prior") if signature.task == "classification" else DummyRegressor()


def metrics(
    truth: Any,
    answers: Answers,
    guesses: Answers,
    signature: Signature,
    *,
    seed: int,
    positive: Label | None = None,
    weights: Any = None,
    groups: Any = None,
) -> list[Metric]:
    """Of m rows: truth, what the pipeline says, what the dummy says. positive: of two classes the one that counts."""
    own, dumb = (_figures(truth, one, signature, positive) for one in (answers, guesses))
    base = np.ones((1, len(truth))) if weights is None else weights[None, :].astype(np.float64)
    resampled: dict[str, list[Any]] = {name: [] for name in own}
    for drawn in resampling.draws(len(truth), seed, groups=groups):
        usable = drawn * base
        usable = usable[usable.sum(axis=1) > 0]
        with np.errstate(invalid="ignore"):
            for name, figure in own.items():
                resampled[name].append(figure(usable))
    made = []
    for name, figure in own.items():
        value = float(figure(base)[0])
        if not np.isfinite(value):
            continue
        found = resampling.interval(np.concatenate(resampled[name]))
        if found is None and name == "accuracy":
            found = _of_a_clean_sweep(value, len(truth))
        low, high = found or (None, None)
        guess = float(dumb[name](base)[0]) if name in dumb else float("nan")
        made.append(
            Metric(name, value, low, high, guess if np.isfinite(guess) else None, name not in figures.LESS_IS_MORE)
        )
    return made


def _figures(truth: Any, answers: Answers, signature: Signature, positive: Label | None) -> Any:
    if signature.task == "regression":
        return figures.of_numbers(truth.astype(np.float64), answers.predicted.astype(np.float64))
    places = {label: place for place, label in enumerate(signature.classes)}
    true, said = (
        np.array([places[label] for label in np.asarray(labels).tolist()]) for labels in (truth, answers.predicted)
    )
    counts = places.get(positive, len(places) - 1) if positive is not None else len(places) - 1
    return figures.of_classes(true, said, answers.probabilities, len(places), counts)


def _of_a_clean_sweep(value: float, rows: int) -> tuple[float, float] | None:
    """All right or all wrong: no resample differs, and yet so few rows prove little. Clopper and Pearson (1934)."""
    bound = float((0.5 - resampling.LEVEL / 200) ** (1 / rows))
    return (bound, 1.0) if value == 1 else (0.0, 1 - bound) if value == 0 else None
