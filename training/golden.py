"""Chooses the golden rows and says what the pipeline makes of them, through the engine that serves. It fits nothing."""

from typing import Any

import numpy as np
import pandas as pd

from functions.inference.engine import Engine, Predictions
from functions.registry.manifest import GoldenRow
from functions.signature import Cell, Signature
from training.asking import as_cells
from training.probes import columns_of

MOST = 120
NARROWEST = 1e-3
"""Two best classes closer than this may swap on a processor that rounds otherwise; such a row proves nothing."""


def golden_rows(engine: Engine, signature: Signature, features: pd.DataFrame) -> list[GoldenRow]:
    """For each predicted class its surest and its least sure row, or of numbers the smallest, the middle and the
    largest; and for each nullable feature a row without it.
    """
    table = columns_of(features, signature)
    found = engine.predict_columns(table)
    ranked, fit = _ranked(found)
    chosen: list[int] = []
    for own in _kinds(found, fit):
        inside = own[np.argsort(ranked[own], kind="stable")]
        chosen += [int(inside[-1]), int(inside[0])]
        if found.values is not None:
            chosen.append(int(inside[len(inside) // 2]))
    for feature in signature.features:
        without = np.flatnonzero(features[feature.name].isna().to_numpy() & fit)
        chosen += without[:1].tolist()
    picked = sorted(dict.fromkeys(chosen)) or [int(ranked.argmax())]
    return _answers(engine, signature, as_cells([cells[picked[:MOST]] for cells in table], signature))


def _ranked(found: Predictions) -> tuple[Any, Any]:
    """For each row how sure it is, or its number; and whether it may be a golden row."""
    if found.values is not None:
        return np.asarray(found.values), np.ones(len(found.values), dtype=bool)
    if found.probabilities is None:  # nothing tells how sure it is
        rows = len(np.asarray(found.classes))
        return np.zeros(rows), np.ones(rows, dtype=bool)
    ordered = np.sort(np.asarray(found.probabilities), axis=1)
    margins = ordered[:, -1] - ordered[:, -2]
    return margins, margins > NARROWEST


def _kinds(found: Predictions, fit: Any) -> list[Any]:
    """The rows that may be chosen of each predicted class; of numbers all."""
    if found.classes is None:
        return [np.flatnonzero(fit)]
    classes = np.asarray(found.classes)
    own = [np.flatnonzero((classes == index) & fit) for index in np.unique(classes)]
    return [rows for rows in own if len(rows)]


def _answers(engine: Engine, signature: Signature, rows: list[list[Cell]]) -> list[GoldenRow]:
    found = engine.predict_rows(rows)
    if found.values is not None:
        return [GoldenRow(row, value, None) for row, value in zip(rows, found.values, strict=True)]
    probabilities = None if found.probabilities is None else [list(each) for each in found.probabilities]
    return [
        GoldenRow(row, signature.classes[index], None if probabilities is None else probabilities[at])
        for at, (row, index) in enumerate(zip(rows, found.classes or [], strict=True))
    ]
