"""What training saw, as the signature says it: type, range and gaps of each feature, and the classes. Fits nothing."""

import math

import pandas as pd

from functions.signature import Feature, Signature
from training.endings import Mistake
from training.table import Table


def describe(table: Table, classes: list[str | int | bool]) -> Signature:
    """The signature of a classifier whose `classes_` these are. Raises Mistake for numbers too large to average."""
    features = [_feature(str(name), table.features[name]) for name in table.features.columns]
    return Signature("classification", features, table.target, list(classes))


def _feature(name: str, column: "pd.Series[float]") -> Feature:
    present = column.dropna()
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
