"""A model to be searched: an estimator, the grid it is searched over, and where a row's weight goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from training.endings import Mistake


@dataclass(frozen=True, slots=True)
class Plan:
    """name: for readers. estimator: unfitted. grid: what is tried, the simplest first, so that it wins ties.

    Of a search object (`searches`) the grid is its own. notes: what the estimator does that a reader should know.
    own: whether it is the user's, who then hears of its errors as theirs.
    """

    name: str
    estimator: Any
    grid: Mapping[str, Sequence[Any]]
    notes: tuple[str, ...] = ()
    own: bool = False

    @property
    def searches(self) -> bool:
        return isinstance(self.estimator, BaseSearchCV)

    @property
    def points(self) -> int:
        """How many candidates there are."""
        points = 1
        for values in self.grid.values():
            points *= len(values)
        return points


def weighted(estimator: Any, weights: Any) -> dict[str, Any]:
    """What `fit` is given beside rows and truth, so that its last step weighs rows. Raises Mistake where it cannot."""
    if weights is None:
        return {}
    word, last = "sample_weight", estimator
    path = ""
    while isinstance(last, Pipeline | BaseSearchCV):
        if isinstance(last, Pipeline):
            name, last = last.steps[-1]
            path += f"{name}__"
        else:
            last = last.estimator
    if not has_fit_parameter(last, word):
        raise Mistake(f"{type(last).__name__} takes no weights; leave out --weight, or name another pipeline")
    return {path + word: weights}
