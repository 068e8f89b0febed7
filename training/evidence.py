"""What one run of `fit` saw and found, for whoever judges or draws it: the gate, the model card. It fits nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from functions.signature import Label, Signature

Array = np.ndarray[tuple[int, ...], np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of the file. kind: number, boolean, category, text, id, date, constant, duplicate or empty.

    Of a column that was not read, as it was told to be left out, the kind is empty.
    role: feature, target, group, time, weight or dropped; reason: why it is dropped or treated so, else empty.
    """

    name: str
    kind: str
    role: str
    reason: str
    missing: int
    distinct: int
    examples: list[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One point of a search: which estimator, its parameters, and its score on each fold (higher is better)."""

    model: str
    parameters: Mapping[str, Any]
    fold_scores: list[float]
    mean: float
    std: float
    seconds: float


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Rows that no search saw. features: m rows as the pipeline takes them. truth: m labels or numbers.

    predicted: m labels or numbers. probabilities: m by classes (signature's order), or None. weights: m, or None.
    """

    features: pd.DataFrame
    truth: Array
    predicted: Array
    probabilities: Array | None
    weights: Array | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure on held-out rows with its 95 % confidence interval, and the same of a dummy. greater: is more better."""

    name: str
    value: float
    low: float | None
    high: float | None
    baseline: float | None
    greater: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """scoring: the name of what the search maximised. best: the index of the chosen candidate.

    train: the n rows the pipeline was fitted on, with train_truth. pipeline: fitted. command: what reproduces it.
    split: how rows were held out, in words. notes: warnings and decisions that a reader should know.
    published: the pipeline that is published, the chosen parameters fitted on all `rows`, held-out ones too; None where
    it is `pipeline` itself. positive: of two classes, the one whose precision and recall are told.
    """

    signature: Signature
    columns: list[ColumnProfile]
    rows: int
    dropped_rows: int
    split: str
    scoring: str
    candidates: list[Candidate]
    best: int
    train: pd.DataFrame
    train_truth: Array
    held_out: HeldOut | None
    metrics: list[Metric]
    pipeline: Any
    seed: int
    command: str
    notes: list[str]
    published: Any = None
    positive: Label | None = None

    @property
    def to_publish(self) -> Any:
        return self.pipeline if self.published is None else self.published
