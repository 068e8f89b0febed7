"""Which estimator becomes which part of the graph: structure, then a table; skl2onnx writes what is not in it."""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
from sklearn import (
    decomposition,
    discriminant_analysis,
    ensemble,
    linear_model,
    naive_bayes,
    neighbors,
    preprocessing,
    svm,
    tree,
)
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline

from functions.inference.onnx_engine import NUMBERS, TEXTS
from training.twin import bayes, encoders, ensembles, foreign, histograms, imputers, linear, neighbours, scaling, trees
from training.twin import svm as machines
from training.twin.answers import Answer
from training.twin.graph import BetterLeft, Columns, Graph, NotConvertible, columns_of

Made = TypeVar("Made", Columns, Answer)
Part: TypeAlias = Callable[[Graph, Any, Columns], Made]


def transform(graph: Graph, estimator: Any, columns: Columns) -> Columns:
    """What a fitted transformer makes of the columns. Raises NotConvertible."""
    if isinstance(estimator, Pipeline):
        return _steps(graph, [step for _, step in estimator.steps], columns)
    if isinstance(estimator, ColumnTransformer):
        return _by_columns(graph, estimator, columns)
    if isinstance(estimator, FeatureUnion):
        return _side_by_side(graph, estimator, columns)
    if isinstance(estimator, SelectorMixin):
        return tuple(column for column, kept in zip(columns, estimator.get_support(), strict=True) if kept)
    if _passes(estimator):
        return columns
    if isinstance(estimator, preprocessing.FunctionTransformer):
        raise NotConvertible(
            f"a FunctionTransformer calls the Python function {getattr(estimator.func, '__name__', '')}"
        )
    own = TRANSFORMERS.get(type(estimator))
    return _own_or_foreign(graph, own, foreign.transform, estimator, columns)


def finish(graph: Graph, estimator: Any, columns: Columns) -> Answer:
    """What a fitted classifier or regressor says of the columns. Raises NotConvertible."""
    if isinstance(estimator, Pipeline):
        *steps, last = [step for _, step in estimator.steps]
        return finish(graph, last, _steps(graph, steps, columns))
    if isinstance(estimator, BaseSearchCV):
        return finish(graph, estimator.best_estimator_, columns)
    return _own_or_foreign(
        graph, FINISHERS.get(type(estimator)), foreign.answer, estimator, _let_in(graph, estimator, columns)
    )


def _let_in(graph: Graph, estimator: Any, columns: Columns) -> Columns:
    """What steps made of finite numbers need not be finite; scikit-learn looks before each step, this at the last."""
    graph.holds(len(columns))
    if any(column.tensor in (NUMBERS, TEXTS) or column.kind == "text" for column in columns):
        return columns
    rows = graph.numbers(columns)
    graph.refuse_not_finite(rows, nan_is_missing=estimator.__sklearn_tags__().input_tags.allow_nan)
    return columns_of(rows, len(columns))


def _own_or_foreign(
    graph: Graph, own: "Part[Made] | None", other: "Part[Made]", estimator: Any, columns: Columns
) -> Made:
    if own is None:
        return other(graph, estimator, columns)
    mark = graph.mark()
    try:
        return own(graph, estimator, columns)
    except BetterLeft:
        raise
    except NotConvertible as reason:
        graph.back_to(mark)
        try:
            return other(graph, estimator, columns)
        except NotConvertible:
            raise reason from None


def _steps(graph: Graph, steps: list[Any], columns: Columns) -> Columns:
    for step in steps:
        columns = transform(graph, step, columns)
    return columns


def _by_columns(graph: Graph, transformer: Any, columns: Columns) -> Columns:
    """ColumnTransformer: each part on its own columns, side by side in the order of the parts."""
    names = list(getattr(transformer, "feature_names_in_", []))
    made: Columns = ()
    for name, part, chosen in transformer.transformers_:
        own = tuple(columns[place] for place in _places(chosen, names, len(columns)))
        if (isinstance(part, str) and part == "drop") or not own:
            continue
        if isinstance(chosen, str | int):
            raise NotConvertible(f"a transformer that takes the single column {chosen!r} as a list of texts")
        weight = (transformer.transformer_weights or {}).get(name)
        made += _weighted(graph, transform(graph, part, own), weight)
    return made


def _places(chosen: Any, names: list[str], width: int) -> list[int]:
    """Where the columns are that a ColumnTransformer's part takes, by name, number, slice or mask."""
    if isinstance(chosen, slice):
        ends = [names.index(end) if isinstance(end, str) else end for end in (chosen.start, chosen.stop)]
        stop = ends[1] + 1 if isinstance(chosen.stop, str) else ends[1]  # a slice of names holds its end
        return list(range(width))[slice(ends[0], stop, chosen.step)]
    each = [chosen] if isinstance(chosen, str | int) else list(chosen)
    if each and all(isinstance(one, bool | np.bool_) for one in each):
        return [place for place, kept in enumerate(each) if kept]
    return [names.index(one) if isinstance(one, str) else range(width)[one] for one in each]


def _side_by_side(graph: Graph, union: Any, columns: Columns) -> Columns:
    """FeatureUnion: each part on all columns."""
    made: Columns = ()
    for name, part in union.transformer_list:
        if isinstance(part, str) and part == "drop":
            continue
        made += _weighted(graph, transform(graph, part, columns), (union.transformer_weights or {}).get(name))
    return made


def _weighted(graph: Graph, columns: Columns, weight: float | None) -> Columns:
    if weight is None or not columns:
        return columns
    return scaling.times(graph, columns, weight)


def _passes(estimator: Any) -> bool:
    """Whether it gives its columns as they are."""
    if isinstance(estimator, preprocessing.FunctionTransformer):
        return estimator.func is None
    return estimator is None or (isinstance(estimator, str) and estimator == "passthrough")


TRANSFORMERS: dict[type, Part[Columns]] = {
    decomposition.PCA: scaling.pca,
    decomposition.TruncatedSVD: scaling.truncated,
    preprocessing.MaxAbsScaler: scaling.largest,
    preprocessing.MinMaxScaler: scaling.smallest_and_largest,
    preprocessing.OneHotEncoder: encoders.one_hot,
    preprocessing.OrdinalEncoder: encoders.ordinal,
    preprocessing.PowerTransformer: scaling.power,
    preprocessing.RobustScaler: scaling.robust,
    preprocessing.KBinsDiscretizer: scaling.bins,
    preprocessing.Normalizer: scaling.normalizer,
    preprocessing.PolynomialFeatures: scaling.polynomial,
    preprocessing.StandardScaler: scaling.standard,
    preprocessing.TargetEncoder: encoders.ordinal,
    KNNImputer: imputers.knn,
    SimpleImputer: imputers.simple,
}

FINISHERS: dict[type, Part[Answer]] = {
    discriminant_analysis.LinearDiscriminantAnalysis: linear.logistic,
    linear_model.LogisticRegression: linear.logistic,
    linear_model.LogisticRegressionCV: linear.logistic,
    linear_model.PassiveAggressiveClassifier: linear.decision_only,
    linear_model.Perceptron: linear.decision_only,
    linear_model.RidgeClassifier: linear.decision_only,
    linear_model.RidgeClassifierCV: linear.decision_only,
    linear_model.SGDClassifier: linear.stochastic_gradient,
    svm.LinearSVC: linear.decision_only,
    svm.NuSVC: machines.classifier,
    svm.NuSVR: machines.regressor,
    svm.SVC: machines.classifier,
    svm.SVR: machines.regressor,
    tree.DecisionTreeClassifier: trees.tree_classifier,
    tree.DecisionTreeRegressor: trees.tree_regressor,
    tree.ExtraTreeClassifier: trees.tree_classifier,
    tree.ExtraTreeRegressor: trees.tree_regressor,
    ensemble.ExtraTreesClassifier: trees.forest_classifier,
    ensemble.ExtraTreesRegressor: trees.forest_regressor,
    ensemble.GradientBoostingClassifier: trees.boosted_classifier,
    ensemble.GradientBoostingRegressor: trees.boosted_regressor,
    ensemble.HistGradientBoostingClassifier: histograms.classifier,
    ensemble.HistGradientBoostingRegressor: histograms.regressor,
    ensemble.RandomForestClassifier: trees.forest_classifier,
    ensemble.RandomForestRegressor: trees.forest_regressor,
    ensemble.AdaBoostClassifier: ensembles.adapted_classifier,
    ensemble.AdaBoostRegressor: ensembles.adapted_regressor,
    ensemble.BaggingClassifier: ensembles.bagging_classifier,
    ensemble.BaggingRegressor: ensembles.bagging_regressor,
    ensemble.VotingClassifier: ensembles.voting_classifier,
    ensemble.VotingRegressor: ensembles.voting_regressor,
    naive_bayes.CategoricalNB: bayes.categorical,
    neighbors.KNeighborsClassifier: neighbours.classifier,
    neighbors.KNeighborsRegressor: neighbours.regressor,
}
