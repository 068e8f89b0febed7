"""What training saw, as the signature says it: type, range and gaps of each feature, and the classes. Fits nothing."""

import math

import numpy as np
import pandas as pd

from functions.signature import Feature, Signature
from training.endings import Mistake
from training.table import Table


def describe(table: Table) -> Signature:
    """The signature of a classifier of this table; its classes are sorted, as scikit-learn's `classes_` are.

    Raises Mistake for numbers too large to average, which no scaling could work with.
    """
    features = [_feature(str(name), table.features[name]) for name in table.features.columns]
    return Signature("classification", features, table.target, np.unique(table.labels).tolist())


def _feature(name: str, column: "pd.Series[float]") -> Feature:
    present = column.dropna()
    with np.errstate(over="ignore", invalid="ignore"):
        mean, std = float(present.mean()), float(present.std(ddof=0))
    if not (math.isfinite(mean) and math.isfinite(std)):
        raise Mistake(f"column {name!r}: its numbers are too large for float64 to average; scale them down")
    return Feature(
        name=name,
        dtype="float64",
        nullable=bool(column.isna().any()),
        minimum=float(present.min()),
        maximum=float(present.max()),
        mean=mean,
        std=std,
    )
