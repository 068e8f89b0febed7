"""What training saw, as the signature says it: type, range and gaps of each feature, and the classes. Fits nothing."""

import math
from typing import Any

import numpy as np
import pandas as pd

from functions.signature import Feature, Signature
from training.endings import Mistake
from training.tables.columns import Kind
from training.tables.table import Table


def describe(table: Table) -> Signature:
    """The signature of a model of this table; its classes are sorted, as scikit-learn's `classes_` are.

    Raises Mistake for numbers too large to average, which no scaling could work with.
    """
    kinds = {one.name: one.kind for one in table.columns if one.role == "feature"}
    features = [
        _feature(str(name), table.features[name], kinds.get(str(name), "number")) for name in table.features.columns
    ]
    classes = np.unique(table.labels).tolist() if table.task == "classification" else []
    return Signature(table.task, features, table.target, classes)


def _feature(name: str, column: "pd.Series[Any]", kind: Kind | str) -> Feature:
    nullable = bool(column.isna().any())
    if kind == "category":
        return Feature(name, "string", nullable, sorted(column.dropna().unique().tolist()))
    if kind == "boolean":
        return Feature(name, "bool", nullable)
    present = column.dropna()
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(present.mean()), float(present.std(ddof=0))
    if not (math.isfinite(mean) and math.isfinite(std)):
        raise Mistake(f"column {name!r}: its numbers are too large for float64 to average; scale them down")
    return Feature(
        name=name,
        dtype="float64",
        nullable=nullable,
        minimum=float(present.min()),
        maximum=float(present.max()),
        mean=mean,
        std=std,
    )
