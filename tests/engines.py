"""Which pipelines go by twin: fitted here on small real tables, sent through the gate, written down in docs/engines.md.

`python -m tests.engines` writes the page anew; a test compares it with what the gate says.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    LogisticRegressionCV,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor, NearestCentroid
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    SplineTransformer,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier, ExtraTreeRegressor
from threadpoolctl import threadpool_limits

from functions.signature import DType, Feature, Signature, Task
from training.parity import NoTwin, Twin, twin_of
from training.twin.neighbours import MOST_NUMBERS

PAGE = Path(__file__).parents[1] / "docs" / "engines.md"


@dataclass(frozen=True, slots=True)
class Table:
    """A table to learn from, as training would read it: texts of pandas' own type, missing values as NaN."""

    features: pd.DataFrame
    target: Any
    task: Task


@cache
def iris() -> Table:
    """Four numbers of one decimal, so that many rows lie equally far from others; three classes that are texts."""
    data = datasets.load_iris()
    return Table(_frame(data), np.array(["setosa", "versicolor", "virginica"], object)[data.target], "classification")


@cache
def cancer() -> Table:
    """Thirty numbers of very different size; two classes that are integers."""
    data = datasets.load_breast_cancer()
    return Table(_frame(data).iloc[::2], data.target[::2], "classification")


@cache
def people() -> Table:
    """Numbers, booleans and texts, each with and without missing values; two classes that are booleans."""
    features = _people()
    chance = 1 / (1 + np.exp(2.5 - features["age"].fillna(40) / 20 - (features["city"] == "Bern") + features["member"]))
    return Table(features, np.random.default_rng(1).random(len(features)) < chance, "classification")


@cache
def diabetes() -> Table:
    """Ten numbers, and how an illness went on a year later."""
    data = datasets.load_diabetes()
    return Table(_frame(data), data.target, "regression")


@cache
def rents() -> Table:
    """The table of people, and what each pays."""
    features = _people()
    city = features["city"].map({"Bern": 400.0, "Genf": 900.0}).fillna(0.0)
    noise = np.random.default_rng(2).normal(0, 30, len(features))
    return Table(features, (features["income"] / 50 + city + noise).to_numpy(), "regression")


def _people() -> pd.DataFrame:
    random = np.random.default_rng(0)
    rows = 240
    cities = random.choice(["Bern", "Genf", "Zürich", "Biel/Bienne", "两个字"], rows, p=[0.4, 0.3, 0.2, 0.08, 0.02])
    return pd.DataFrame(
        {
            "age": np.where(random.random(rows) < 0.1, np.nan, random.integers(18, 90, rows)),
            "income": random.lognormal(10, 0.5, rows),
            "city": pd.Series(cities, dtype="str").mask(random.random(rows) < 0.1),
            "plan": pd.Series(random.choice(["basic", "plus", "10"], rows), dtype="str"),
            "member": random.random(rows) < 0.5,
            "consent": np.where(random.random(rows) < 0.2, np.nan, random.integers(0, 2, rows)),
        }
    )


def _frame(data: Any) -> pd.DataFrame:
    return pd.DataFrame(data.data, columns=[str(name).replace(" (cm)", "") for name in data.feature_names])


def signature_of(table: Table, classes: list[Any]) -> Signature:
    """As training describes it. A column of 0.0, 1.0 and NaN is a boolean with missing values."""
    features = []
    for name, column in table.features.items():
        present = set(column.dropna().unique().tolist())
        text, boolean = not pd.api.types.is_numeric_dtype(column), present <= {0, 1}
        dtype: DType = "string" if text else "bool" if boolean else "float64"
        seen = sorted(present) if text else None
        features.append(Feature(str(name), dtype, bool(column.isna().any()), seen))
    return Signature(table.task, features, "target", classes)


def as_it_is(estimator: Any) -> Any:
    return estimator


def scaled(estimator: Any) -> Any:
    return make_pipeline(StandardScaler(), estimator)


def positive(estimator: Any) -> Any:
    return make_pipeline(MinMaxScaler(clip=True), estimator)


def prepared(estimator: Any, *, encoder: Any = None, imputer: Any = None) -> Any:
    """Numbers imputed and scaled, texts imputed and encoded, as most pipelines over such a table begin."""
    numbers = make_pipeline(imputer or SimpleImputer(strategy="median"), StandardScaler())
    texts = make_pipeline(
        SimpleImputer(strategy="most_frequent"), encoder or OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    )
    selected = make_column_selector(dtype_include=["number", "bool"]), make_column_selector(dtype_include="str")
    return make_pipeline(make_column_transformer((numbers, selected[0]), (texts, selected[1])), estimator)


Make = Callable[[], Any]

CLASSIFIERS: dict[str, Make] = {
    "LogisticRegression": lambda: LogisticRegression(max_iter=1000),
    "LogisticRegressionCV": lambda: LogisticRegressionCV(Cs=3, cv=3, max_iter=1000),
    "LogisticRegression(class_weight)": lambda: LogisticRegression(max_iter=1000, class_weight="balanced"),
    "RidgeClassifier": RidgeClassifier,
    "SGDClassifier(log_loss)": lambda: SGDClassifier(loss="log_loss", random_state=0),
    "SGDClassifier(modified_huber)": lambda: SGDClassifier(loss="modified_huber", random_state=0),
    "SGDClassifier": lambda: SGDClassifier(random_state=0),
    "Perceptron": lambda: Perceptron(random_state=0),
    "LinearSVC": lambda: LinearSVC(random_state=0),
    "SVC": SVC,
    "SVC(linear)": lambda: SVC(kernel="linear"),
    "SVC(poly)": lambda: SVC(kernel="poly"),
    "SVC(sigmoid)": lambda: SVC(kernel="sigmoid"),
    "NuSVC": lambda: NuSVC(nu=0.1),
    "DecisionTreeClassifier": lambda: DecisionTreeClassifier(random_state=0),
    "ExtraTreeClassifier": lambda: ExtraTreeClassifier(random_state=0),
    "RandomForestClassifier": lambda: RandomForestClassifier(15, random_state=0),
    "RandomForestClassifier(class_weight)": lambda: RandomForestClassifier(
        15, class_weight="balanced_subsample", random_state=0
    ),
    "ExtraTreesClassifier": lambda: ExtraTreesClassifier(15, random_state=0),
    "GradientBoostingClassifier": lambda: GradientBoostingClassifier(n_estimators=15, random_state=0),
    "HistGradientBoostingClassifier": lambda: HistGradientBoostingClassifier(max_iter=10, random_state=0),
    "KNeighborsClassifier": KNeighborsClassifier,
    "KNeighborsClassifier(distance)": lambda: KNeighborsClassifier(weights="distance"),
    "GaussianNB": GaussianNB,
    "BernoulliNB": BernoulliNB,
    "MultinomialNB": lambda: positive(MultinomialNB()),
    "ComplementNB": lambda: positive(ComplementNB()),
    "CategoricalNB": lambda: make_pipeline(
        KBinsDiscretizer(4, encode="ordinal", quantile_method="averaged_inverted_cdf"), CategoricalNB(min_categories=4)
    ),
    "LinearDiscriminantAnalysis": LinearDiscriminantAnalysis,
    "QuadraticDiscriminantAnalysis": lambda: QuadraticDiscriminantAnalysis(reg_param=0.5),
    "MLPClassifier": lambda: MLPClassifier((8,), max_iter=300, random_state=0),
    "VotingClassifier(soft)": lambda: VotingClassifier(
        [("a", LogisticRegression()), ("b", GaussianNB())], voting="soft"
    ),
    "BaggingClassifier": lambda: BaggingClassifier(random_state=0),
    "StackingClassifier": lambda: StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())]),
    "GridSearchCV": lambda: GridSearchCV(LogisticRegression(max_iter=1000), {"C": [0.1, 1.0]}, cv=3),
    "CalibratedClassifierCV": lambda: CalibratedClassifierCV(LinearSVC(random_state=0), ensemble=False),
    "CalibratedClassifierCV(ensemble, isotonic)": lambda: CalibratedClassifierCV(GaussianNB(), method="isotonic"),
    "OneVsRestClassifier": lambda: OneVsRestClassifier(LogisticRegression()),
    "OneVsOneClassifier": lambda: OneVsOneClassifier(LogisticRegression()),
    "SVC(break_ties)": lambda: SVC(break_ties=True),
    "DummyClassifier": DummyClassifier,
    "AdaBoostClassifier": lambda: AdaBoostClassifier(n_estimators=10, random_state=0),
    "GaussianProcessClassifier": lambda: GaussianProcessClassifier(random_state=0),
    "NearestCentroid": NearestCentroid,
}

REGRESSORS: dict[str, Make] = {
    "LinearRegression": LinearRegression,
    "Ridge": Ridge,
    "Lasso": Lasso,
    "ElasticNet": ElasticNet,
    "BayesianRidge": BayesianRidge,
    "HuberRegressor": lambda: HuberRegressor(max_iter=1000),
    "PoissonRegressor": lambda: PoissonRegressor(max_iter=1000),
    "SGDRegressor": lambda: SGDRegressor(random_state=0),
    "LinearSVR": lambda: LinearSVR(random_state=0, max_iter=100_000),
    "SVR": lambda: SVR(C=100),
    "NuSVR": lambda: NuSVR(C=100),
    "DecisionTreeRegressor": lambda: DecisionTreeRegressor(random_state=0),
    "ExtraTreeRegressor": lambda: ExtraTreeRegressor(random_state=0),
    "RandomForestRegressor": lambda: RandomForestRegressor(15, random_state=0),
    "ExtraTreesRegressor": lambda: ExtraTreesRegressor(15, random_state=0),
    "GradientBoostingRegressor": lambda: GradientBoostingRegressor(n_estimators=15, random_state=0),
    "HistGradientBoostingRegressor": lambda: HistGradientBoostingRegressor(max_iter=10, random_state=0),
    "HistGradientBoostingRegressor(poisson)": lambda: HistGradientBoostingRegressor(loss="poisson", max_iter=10),
    "KNeighborsRegressor": KNeighborsRegressor,
    "KNeighborsRegressor(distance)": lambda: KNeighborsRegressor(weights="distance"),
    "MLPRegressor": lambda: MLPRegressor(hidden_layer_sizes=(8,), max_iter=300, random_state=0),
    "GaussianProcessRegressor": lambda: GaussianProcessRegressor(alpha=1.0),
    "VotingRegressor": lambda: VotingRegressor([("a", LinearRegression()), ("b", Ridge())]),
    "BaggingRegressor": lambda: BaggingRegressor(random_state=0),
    "StackingRegressor": lambda: StackingRegressor([("a", LinearRegression()), ("b", Ridge())]),
    "TransformedTargetRegressor": lambda: TransformedTargetRegressor(
        LinearRegression(), func=np.log, inverse_func=np.exp
    ),
    "AdaBoostRegressor": lambda: AdaBoostRegressor(n_estimators=10, random_state=0),
    "KernelRidge": lambda: KernelRidge(kernel="rbf"),
}


def before(*steps: Any) -> Any:
    return make_pipeline(*steps, LogisticRegression(max_iter=1000))


def texts(encoder: Any) -> Any:
    """The encoder on both text columns as they are, missing values and all; numbers pass."""
    columns = make_column_transformer((encoder, ["city", "plan"]), ("passthrough", ["income", "member"]))
    return make_pipeline(columns, DecisionTreeClassifier(max_depth=5, random_state=0))


def own(features: Any) -> Any:
    """A step that somebody wrote."""
    return features**2


STEPS: dict[str, tuple[Callable[[], Table], Make]] = {
    "StandardScaler": (iris, lambda: before(StandardScaler())),
    "MinMaxScaler": (iris, lambda: before(MinMaxScaler())),
    "MinMaxScaler(clip)": (iris, lambda: before(MinMaxScaler(clip=True))),
    "MaxAbsScaler": (iris, lambda: before(MaxAbsScaler())),
    "RobustScaler": (iris, lambda: before(RobustScaler())),
    "Normalizer": (iris, lambda: before(Normalizer())),
    "PCA": (iris, lambda: before(StandardScaler(), PCA(3))),
    "PCA(whiten)": (cancer, lambda: before(StandardScaler(), PCA(5, whiten=True))),
    "TruncatedSVD": (iris, lambda: before(TruncatedSVD(3))),
    "PolynomialFeatures": (iris, lambda: before(StandardScaler(), PolynomialFeatures(3))),
    "KBinsDiscretizer": (iris, lambda: before(KBinsDiscretizer(4, quantile_method="averaged_inverted_cdf"))),
    "QuantileTransformer": (iris, lambda: before(QuantileTransformer(n_quantiles=20))),
    "SelectKBest": (cancer, lambda: before(StandardScaler(), SelectKBest(k=7))),
    "VarianceThreshold": (cancer, lambda: before(VarianceThreshold(0.01), StandardScaler())),
    "FeatureUnion": (iris, lambda: before(make_union(StandardScaler(), PCA(2)))),
    "PowerTransformer": (iris, lambda: before(PowerTransformer())),
    "SplineTransformer": (iris, lambda: before(SplineTransformer())),
    "FunctionTransformer(np.log1p)": (iris, lambda: before(FunctionTransformer(np.log1p))),
    "FunctionTransformer of one's own": (iris, lambda: before(FunctionTransformer(own))),
    "SimpleImputer(mean)": (people, lambda: prepared(LogisticRegression(), imputer=SimpleImputer())),
    "SimpleImputer(add_indicator)": (
        people,
        lambda: prepared(LogisticRegression(), imputer=SimpleImputer(add_indicator=True)),
    ),
    "KNNImputer": (people, lambda: prepared(LogisticRegression(), imputer=KNNImputer())),
    "OneHotEncoder": (people, lambda: texts(OneHotEncoder())),
    "OneHotEncoder(ignore)": (people, lambda: texts(OneHotEncoder(handle_unknown="ignore"))),
    "OneHotEncoder(drop)": (people, lambda: texts(OneHotEncoder(drop="first"))),
    "OneHotEncoder(infrequent)": (
        people,
        lambda: texts(OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=30)),
    ),
    "OrdinalEncoder": (people, lambda: texts(OrdinalEncoder())),
    "OrdinalEncoder(unknown_value)": (
        people,
        lambda: texts(OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2)),
    ),
    "TargetEncoder": (people, lambda: texts(TargetEncoder(random_state=0))),
    "OneHotEncoder of numbers and booleans": (
        people,
        lambda: make_pipeline(
            make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["age", "member", "consent", "city"])),
            LogisticRegression(max_iter=1000),
        ),
    ),
    "nothing but texts": (
        people,
        lambda: make_pipeline(make_column_transformer((OneHotEncoder(), ["city", "plan"])), BernoulliNB()),
    ),
    "HistGradientBoostingClassifier(categorical_features)": (
        people,
        lambda: HistGradientBoostingClassifier(
            categorical_features=["city", "plan", "member", "consent"], max_iter=20, random_state=0
        ),
    ),
    "HistGradientBoostingRegressor(categorical_features)": (
        rents,
        lambda: HistGradientBoostingRegressor(categorical_features=["city", "plan"], max_iter=20, random_state=0),
    ),
    "missing values straight into trees": (
        people,
        lambda: make_pipeline(
            make_column_transformer(("passthrough", ["age", "income", "consent"])),
            RandomForestClassifier(15, random_state=0),
        ),
    ),
    "missing values straight into histogram gradient boosting": (
        people,
        lambda: make_pipeline(
            make_column_transformer(("passthrough", ["age", "income", "consent"])),
            HistGradientBoostingClassifier(max_iter=10, random_state=0),
        ),
    ),
}


OTHERS = {
    "MLPClassifier", "VotingClassifier(soft)", "BaggingClassifier", "StackingClassifier", "CalibratedClassifierCV",
    "GaussianProcessClassifier", "NearestCentroid", "QuadraticDiscriminantAnalysis",
    "CalibratedClassifierCV(ensemble, isotonic)", "OneVsRestClassifier", "OneVsOneClassifier", "SVC(break_ties)",
    "DummyClassifier", "MLPRegressor", "GaussianProcessRegressor", "VotingRegressor", "BaggingRegressor",
    "StackingRegressor", "TransformedTargetRegressor", "KernelRidge", "SplineTransformer",
    "FunctionTransformer(np.log1p)", "FunctionTransformer of one's own",
}  # fmt: skip
"""Shown, on one table each; all else must have a twin, on every table of its task."""


@dataclass(frozen=True, slots=True)
class Case:
    """One pipeline, unfitted, on one table."""

    name: str
    table: Callable[[], Table]
    make: Make

    @property
    def on(self) -> str:
        return self.table.__name__

    def fitted(self) -> tuple[Any, Signature]:
        table = self.table()
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of small tables and few iterations
            pipeline = self.make().fit(table.features, table.target)
        return pipeline, signature_of(table, pipeline.classes_.tolist() if table.task == "classification" else [])

    def outcome(self) -> Twin | str:
        """The twin, or the reason why there is none."""
        pipeline, signature = self.fitted()
        try:
            return twin_of(pipeline, signature, self.table().features)
        except NoTwin as reason:
            return str(reason)


def cases() -> list[Case]:
    tables: dict[str, list[tuple[Callable[[], Table], Callable[[Any], Any]]]] = {
        "classification": [(iris, as_it_is), (cancer, scaled), (people, prepared)],
        "regression": [(diabetes, as_it_is), (rents, prepared)],
    }
    made = []
    for task, estimators in (("classification", CLASSIFIERS), ("regression", REGRESSORS)):
        for name, make in estimators.items():
            for table, prepare in tables[task][: 1 if name in OTHERS else None]:
                made.append(Case(name, table, partial(_made, prepare, make)))
    return made + [Case(name, table, make) for name, (table, make) in STEPS.items()]


def _made(prepare: Callable[[Any], Any], make: Make) -> Any:
    return prepare(make())


HEAD = """\
# Which pipelines go by twin

Training exports every pipeline to ONNX and compares this twin with scikit-learn, row by row: every training row, rows
at and around the decision boundaries, rows with missing values, unseen categories and absurd numbers, random rows. Only
a twin that gives the same labels, and numbers within 1e-5, is published; any other pipeline is served by scikit-learn
itself, and the command says why. Where scikit-learn refuses a row, the twin does.

This page is written by the test that sends each pipeline below through that gate (`python -m tests.engines`), with
scikit-learn {sklearn}, skl2onnx {skl2onnx} and onnxruntime {onnxruntime}.

{tables}

Numbers from -1e100 to 1e100 are compared. Beyond, scikit-learn's own sums overflow or not by the order of their terms.
A table wider than a few hundred columns is compared on fewer made rows; the manifest says on how many. k-NN over more
than {most} numbers (rows times features) is left to scikit-learn, whose tree is faster there.
"""


def page(outcomes: dict[Case, Twin | str]) -> str:
    tables = dict.fromkeys(case.table for case in outcomes)
    told = [f"- *{table.__name__}*: {' '.join((table.__doc__ or '').split())}" for table in tables]
    versions = {name: metadata.version(package) for name, package in PACKAGES.items()}
    parts = [HEAD.format(tables="\n".join(told), most=f"{MOST_NUMBERS:,}", **versions)]
    for title, names in (
        ("Classifiers", CLASSIFIERS),
        ("Regressors", REGRESSORS),
        ("Steps before the last, and whole pipelines", STEPS),
    ):
        own = {case: outcome for case, outcome in outcomes.items() if case.name in names}
        columns = list(dict.fromkeys(case.on for case in own))
        lines = [f"## {title}", "", f"| | {' | '.join(columns)} |", "| --- " * (len(columns) + 1) + "|"]
        for name in names:
            found = {case.on: outcome for case, outcome in own.items() if case.name == name}
            lines.append(f"| {name} | {' | '.join(_cell(found.get(on)) for on in columns)} |")
        parts.append("\n".join(lines) + "\n")
    reasons = [f"- {case.name}: {outcome}" for case, outcome in outcomes.items() if isinstance(outcome, str)]
    parts.append("## By scikit-learn, and why\n\n" + "\n".join(reasons) + "\n")
    return "\n".join(parts)


def _cell(outcome: Twin | str | None) -> str:
    if outcome is None:
        return ""
    if isinstance(outcome, str):
        return "scikit-learn"
    return "twin" if outcome.parity.precision == "double" else "twin, single precision"


PACKAGES = {"sklearn": "scikit-learn", "skl2onnx": "skl2onnx", "onnxruntime": "onnxruntime"}

if __name__ == "__main__":
    PAGE.write_text(page({case: case.outcome() for case in cases()}))
