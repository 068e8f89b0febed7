"""Chooses the golden rows and says what the pipeline makes of them, through the engine that serves. It fits nothing."""

import math

import numpy as np
import pandas as pd

from functions.inference.engine import Engine
from functions.registry.manifest import GoldenRow
from functions.signature import Cell, Signature

MOST = 120
NARROWEST = 1e-3
"""Two best classes closer than this may swap on a processor that rounds otherwise; such a row proves nothing."""


def golden_rows(engine: Engine, signature: Signature, features: pd.DataFrame) -> list[GoldenRow]:
    """For each predicted class its surest and its least sure row, and for each nullable feature a row without it."""
    found = engine.predict_columns([features[name].to_numpy() for name in features.columns])
    probabilities = np.asarray(found.probabilities)
    classes = np.asarray(found.classes)
    ordered = np.sort(probabilities, axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    chosen: list[int] = []
    for index in range(len(signature.classes)):
        own = np.flatnonzero((classes == index) & (margins > NARROWEST))
        if len(own):
            chosen += [int(own[margins[own].argmax()]), int(own[margins[own].argmin()])]
    for name in features.columns:
        without = np.flatnonzero(features[name].isna().to_numpy() & (margins > NARROWEST))
        chosen += without[:1].tolist()
    picked = sorted(dict.fromkeys(chosen)) or [int(margins.argmax())]
    return _answers(engine, signature, [_row(features, index) for index in picked[:MOST]])


def _answers(engine: Engine, signature: Signature, rows: list[list[Cell]]) -> list[GoldenRow]:
    found = engine.predict_rows(rows)
    assert found.classes is not None  # noqa: S101 # a classifier always says one; for the type checker
    assert found.probabilities is not None  # noqa: S101 # and logistic regression has probabilities
    return [
        GoldenRow(row, signature.classes[index], list(each))
        for row, index, each in zip(rows, found.classes, found.probabilities, strict=True)
    ]


def _row(features: pd.DataFrame, index: int) -> list[Cell]:
    return [None if math.isnan(value) else float(value) for value in features.iloc[index]]
