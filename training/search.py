"""Searches every plan's grid by cross-validation and keeps the best pipeline. It reads and writes nothing."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from functions.signature import Task
from training import scoring
from training.endings import Failure, Mistake
from training.evidence import Candidate
from training.models.own import blame
from training.models.plan import Plan, weighted
from training.progress import Narrator
from training.splitting import Folds
from training.tables.target import FOLDS
from training.workers import working

SMALL = 1_000_000
"""Cells below which threads cost linear algebra more than they bring, and ten times as much on a busy machine."""

SCORING: Mapping[Task, str] = {"classification": "accuracy", "regression": "r2"}


@dataclass(frozen=True, slots=True)
class Where:
    """jobs: processes, -1 for one on each core. scheduler: a Dask cluster's, instead. modules: to be sent along."""

    jobs: int = 1
    scheduler: str | None = None
    modules: tuple[ModuleType, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """What is learnt from: n rows, n labels or numbers, n weights or None, and how they are folded.

    strict: no search folds them its own way, for groups or times have to be kept apart.
    """

    features: pd.DataFrame
    truth: Any
    weights: Any
    folds: Folds
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Every candidate of every plan; the best one's place, its plan, and its pipeline fitted on all rows given.

    unfitted: the same pipeline before that.
    """

    candidates: list[Candidate]
    best: int
    plan: Plan
    unfitted: Any
    pipeline: Any
    warnings: list[str]


def search(plans: list[Plan], rows: Rows, task: Task, *, where: Where, narrator: Narrator) -> Found:
    """The same rows and plans give the same pipeline, wherever the fits run. Of equals the first wins.

    Raises Mistake for what a user's own pipeline raises.
    """
    weights = [weighted(plan.estimator, rows.weights) for plan in plans]
    parallel = where.jobs != 1 or where.scheduler is not None
    candidates: list[Candidate] = []
    settled: list[Callable[[], Any]] = []
    modules = (*where.modules, scoring)
    with _watched(rows.features, quiet=parallel) as caught:
        with (
            working(where.jobs, where.scheduler, modules, [rows.features, rows.truth]) as place,
            narrator.counting(_what(plans, place), _total(plans, parallel)) as tick,
        ):
            score = _score(SCORING[task], rows, None if parallel else tick)
            for plan, given in zip(plans, weights, strict=True):
                made = _ran(plan, partial(_searched, plan, rows, given, score))
                candidates += made.candidates
                settled += made.estimators
        means = np.array([one.mean for one in candidates])
        if np.isnan(means).all():
            raise Mistake("no candidate could be scored; look at the notes above, or at your pipeline")
        best = 0 if plans[0].searches else int(np.nanargmax(means))
        plan = next(one for one in plans if one.name == candidates[best].model)
        unfitted = settled[best]()
        given = weighted(unfitted, rows.weights)
        pipeline = _ran(plan, lambda: clone(unfitted).fit(rows.features, rows.truth, **given))
    told = sorted({f"{one.category.__name__}: {one.message}" for one in caught})
    return Found(candidates, best, plan, unfitted, pipeline, told)


def refitted(found: Found, features: pd.DataFrame, truth: Any, weights: Any) -> Any:
    """The chosen candidate, fitted on other rows."""
    with _watched(features, quiet=True):
        given = weighted(found.unfitted, weights)
        return _ran(found.plan, lambda: clone(found.unfitted).fit(features, truth, **given))


@dataclass(frozen=True, slots=True)
class _Made:
    candidates: list[Candidate]
    estimators: list[Callable[[], Any]]


def _searched(plan: Plan, rows: Rows, given: dict[str, Any], score: Any) -> _Made:
    if plan.searches:
        return _by_itself(plan, rows, given, score)
    tried = GridSearchCV(
        plan.estimator, dict(plan.grid), cv=rows.folds, scoring=score, error_score="raise", refit=False
    )
    tried.fit(rows.features, rows.truth, **given)
    made = _candidates(plan.name, tried.cv_results_, "score", len(rows.folds))
    return _Made(made, [partial(_set, plan.estimator, one.parameters) for one in made])


def _set(estimator: Any, parameters: Mapping[str, Any]) -> Any:
    """Unfitted, as a search sets them: values that are estimators are not shared."""
    return clone(estimator).set_params(**{name: clone(value, safe=False) for name, value in parameters.items()})


def _by_itself(plan: Plan, rows: Rows, given: dict[str, Any], score: Any) -> _Made:
    """A search object has its own grid, and its own folds and score where it says so and nothing would leak."""
    own = clone(plan.estimator)
    if own.cv is None or rows.strict:
        own.set_params(cv=rows.folds)
    if own.scoring is None:
        own.set_params(scoring=score)
    own.fit(rows.features, rows.truth, **given)
    metric = own.refit if isinstance(own.refit, str) else "score"
    folds = sum(name.startswith("split") and name.endswith(f"_test_{metric}") for name in own.cv_results_)
    made = _candidates(plan.name, own.cv_results_, metric, folds)
    best = int(own.best_index_)  # its own choice stands, whatever the means say
    return _Made([made[best], *made[:best], *made[best + 1 :]], [partial(clone, own.best_estimator_)] * len(made))


def _candidates(name: str, results: Mapping[str, Any], metric: str, folds: int) -> list[Candidate]:
    return [
        Candidate(
            model=name,
            parameters=dict(results["params"][at]),
            fold_scores=[float(results[f"split{fold}_test_{metric}"][at]) for fold in range(folds)],
            mean=float(results[f"mean_test_{metric}"][at]),
            std=float(results[f"std_test_{metric}"][at]),
            seconds=float(folds * (results["mean_fit_time"][at] + results["mean_score_time"][at])),
        )
        for at in range(len(results["params"]))
    ]


def _ran(plan: Plan, step: Callable[[], Any]) -> Any:
    """What a step gives; where the pipeline is the user's, so are its errors."""
    if not plan.own:
        return step()
    try:
        return step()
    except (Mistake, Failure):
        raise
    except Exception as error:
        raise blame(error, "your pipeline failed") from error


@contextmanager
def _watched(features: pd.DataFrame, *, quiet: bool) -> Iterator[list[warnings.WarningMessage]]:
    """Few threads where they cost more than they bring. Warnings are kept; other processes would print theirs."""
    threads = 1 if features.size < SMALL else None
    with threadpool_limits(threads), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("ignore" if quiet else "always")
        yield caught


def _score(name: str, rows: Rows, tick: Callable[[], None] | None) -> Any:
    weights = None if rows.weights is None else pd.Series(rows.weights, index=rows.features.index)
    return scoring.Score(name, weights, tick)


def _what(plans: list[Plan], place: str) -> str:
    if plans[0].searches:
        what = f"running {type(plans[0].estimator).__name__}"
    elif len(plans) == 1:
        what = f"fitting {plans[0].points} candidate{'s' if plans[0].points > 1 else ''} in {FOLDS} folds"
    else:
        what = f"fitting {', '.join(f'{plan.points} {plan.name}' for plan in plans)} candidates in {FOLDS} folds"
    return f"{what} {place}".rstrip()


def _total(plans: list[Plan], parallel: bool) -> int | None:
    """How many scores there will be; None where nobody tells them one by one."""
    return None if parallel or plans[0].searches else FOLDS * sum(plan.points for plan in plans)
