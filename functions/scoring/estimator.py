"""Reads off a fitted scikit-learn estimator what a manifest would have said of it. It unpickles and predicts nothing.

Names, number of columns, task and classes an estimator knows. It does not say what type a column had: numbers, except
where a step inside could not have been fitted on numbers.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np

from functions.inference.cells import MISSING, column_name
from functions.scoring.files import Mistake
from functions.signature import Feature, Label, Signature, Task

Proof: TypeAlias = tuple[str, "Sequence[Any] | None"]
"""A column, and the values some encoder knows of it; None where it must hold texts, of which none is known."""

NEEDED = "a fitted scikit-learn classifier or regressor with one target is needed"
KINDS = {str: "string", bool: "bool", int: "float64", float: "float64"}


def signature_of(estimator: Any, source: str) -> Signature:
    """The signature of an estimator out of `source`. Raises Mistake, with a remedy, for what cannot be known of it.

    Missing values are allowed for numbers and texts alike: whether it takes them, the estimator alone can say.
    """
    task = _task(estimator, source)
    classes = _classes(estimator, source) if task == "classification" else []
    names = _names(estimator, source)
    proven: dict[str, Sequence[Any] | None] = {}
    for name, known in _proofs(estimator, names):
        if proven.get(name) is None:
            proven[name] = known
    return Signature(task, [_feature(name, name in proven, proven.get(name), source) for name in names], "", classes)


def _task(estimator: Any, source: str) -> Task:
    from sklearn.base import BaseEstimator, is_classifier, is_regressor

    if isinstance(estimator, BaseEstimator) and hasattr(estimator, "predict"):
        if is_classifier(estimator):
            return "classification"
        if is_regressor(estimator):
            return "regression"
    raise Mistake(f"{source} holds a {type(estimator).__name__}; {NEEDED}")


def _classes(estimator: Any, source: str) -> list[Label]:
    found = getattr(estimator, "classes_", None)
    if not isinstance(found, np.ndarray):
        raise Mistake(f"{source} holds a {type(estimator).__name__} that is not fitted, or has many targets; {NEEDED}")
    labels: list[Any] = found.tolist()
    if all(isinstance(label, float) and label.is_integer() for label in labels):
        labels = [int(label) for label in labels]  # equal to what it predicts, and written as one would
    if not any(all(type(label) is kind for label in labels) for kind in (str, int, bool)):
        raise Mistake(f"{source} has the classes {labels}; they must be texts, whole numbers or booleans")
    return labels


def _names(estimator: Any, source: str) -> list[str]:
    found = getattr(estimator, "feature_names_in_", None)
    if found is None:
        count = getattr(estimator, "n_features_in_", None)
        of = f" of its {count} columns" if count else ""
        raise Mistake(
            f"{source} does not know the names{of}, so no column of a CSV can be told to be one of them; "
            "fit it on a DataFrame (it then has feature_names_in_)"
        )
    names = [str(name) for name in found]
    for name in names:
        if column_name(name) != name or names.count(name) > 1:
            raise Mistake(
                f"{source} was fitted with the column {name!r}, which a CSV's header cannot name: names stand once, "
                "without spaces around them; fit it on a DataFrame with other names"
            )
    return names


def _feature(name: str, proven: bool, known: Sequence[Any] | None, source: str) -> Feature:
    if not proven:
        return Feature(name, "float64", nullable=True)
    if known is None:
        return Feature(name, "string", nullable=True)
    values = [value for value in known if not _is_missing(value)]
    kinds = {KINDS.get(type(value), "") for value in values}
    if not kinds or kinds == {"float64"}:
        return Feature(name, "float64", nullable=True)
    if kinds == {"bool"}:
        return Feature(name, "bool", nullable=False)
    if kinds != {"string"}:
        raise Mistake(
            f"{source} was fitted with values of several types in the column {name!r}, which a CSV cannot tell apart; "
            "fit it with texts alone there, or numbers alone"
        )
    unreadable = sorted(MISSING.intersection(values))
    if unreadable:
        raise Mistake(
            f"{source} knows the text {unreadable[0]!r} in the column {name!r}, which stands for a missing value in a "
            "CSV here; fit it with another text there"
        )
    return Feature(name, "string", nullable=True, categories=sorted(values))


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _proofs(step: Any, names: list[str]) -> Iterator[Proof]:
    """What the step, and those inside it, must have been fitted on in the columns it is handed."""
    if hasattr(step, "best_estimator_"):
        yield from _proofs(step.best_estimator_, names)
    elif hasattr(step, "steps"):
        for _, inner in step.steps:
            yield from _proofs(inner, names)
            if not _hands_on(inner, names):
                return
    elif hasattr(step, "transformers_"):
        for _, inner, chosen in step.transformers_:
            yield from _proofs(inner, _chosen(chosen, names))
    elif hasattr(step, "transformer_list"):
        for _, inner in step.transformer_list:
            yield from _proofs(inner, names)
    else:
        yield from _proofs_of_one(step, names)


def _proofs_of_one(step: Any, names: list[str]) -> Iterator[Proof]:
    known = getattr(step, "categories_", None)  # encoders
    if known is not None and len(known) == len(names):
        yield from zip(names, (np.asarray(one).tolist() for one in known), strict=True)
    fills = getattr(step, "statistics_", None)  # imputers
    if fills is not None and len(fills) == len(names):
        yield from ((name, None) for name, fill in zip(names, fills, strict=True) if isinstance(fill, str))
    if hasattr(step, "vocabulary_") and len(names) == 1:  # counts of words
        yield names[0], None


def _hands_on(step: Any, names: list[str]) -> bool:
    """Whether what comes out of the step are its columns, one for one."""
    if step is None or step == "passthrough":
        return True
    try:
        return list(step.get_feature_names_out(names)) == names
    except (AttributeError, ValueError):
        return False


def _chosen(chosen: Any, names: list[str]) -> list[str]:
    """The columns that a ColumnTransformer hands to one of its steps: by name, place, slice or mask."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):
        start, stop = (names.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop))
        return names[start : stop + 1 if isinstance(chosen.stop, str) else stop]
    picked = np.asarray(chosen)
    if picked.dtype.kind == "b":
        return [name for name, taken in zip(names, picked, strict=True) if taken]
    if picked.dtype.kind in "iu":
        return [names[place] for place in picked]
    return [str(name) for name in picked]
