"""What a pipeline does with each column before its last step, by the names of scikit-learn's parts."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

ARROW = " \u2192 "
DROPPED = "dropped by the pipeline"


def treatments(pipeline: Any, columns: list[str]) -> dict[str, str]:
    """By column: `SimpleImputer → StandardScaler`. What cannot be followed by name is left out."""
    whole = getattr(pipeline, "best_estimator_", pipeline)
    whole = getattr(whole, "regressor_", whole)
    if not isinstance(whole, Pipeline):
        return {}
    steps = [step for _, step in whole.steps[:-1]]
    own: dict[str, list[str]] = {column: [] for column in columns}
    if steps and isinstance(steps[0], ColumnTransformer):
        first = steps.pop(0)
        own = {}
        for _, part, chosen in first.transformers_:
            for column in _names(chosen, columns):
                own.setdefault(column, []).extend(_parts(part))
    then = [name for step in steps for name in _parts(step)]
    return {
        column: DROPPED if DROPPED in names else ARROW.join([*names, *then])
        for column, names in own.items()
        if names or then
    }


def _names(chosen: Any, columns: list[str]) -> list[str]:
    """The columns of a ColumnTransformer's part, which may name them, count them or mark them."""
    if isinstance(chosen, str):
        return [chosen]
    if isinstance(chosen, slice):  # by name it holds its end
        named = pd.Series(columns, index=columns)
        by_name = isinstance(chosen.start, str) or isinstance(chosen.stop, str)
        return list((named.loc if by_name else named.iloc)[chosen])
    places = np.atleast_1d(np.asarray(chosen))
    if places.dtype.kind in "bi":
        return [str(one) for one in np.array(columns, dtype=object)[places]]
    return [str(one) for one in places.tolist()]


def _parts(step: Any) -> list[str]:
    if isinstance(step, str):
        return {"passthrough": ["as it is"], "drop": [DROPPED]}.get(step, [step])
    if isinstance(step, Pipeline):
        return [name for _, inner in step.steps for name in _parts(inner)]
    if isinstance(step, FunctionTransformer) and step.func is None:  # what "passthrough" becomes where it is fitted
        return ["as it is"]
    return [] if step is None else [type(step).__name__]
