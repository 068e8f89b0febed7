"""The gate notices: a twin that is wrong in the least way that could change an answer is refused, with its reason."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import numpy_helper
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import make_column_transformer
from sklearn.ensemble import AdaBoostRegressor, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from functions.inference.engine import Predictions
from functions.inference.onnx_engine import OnnxEngine
from tests import engines
from training import parity, probes
from training.asking import MOST_REFUSED
from training.parity import NoTwin, Twin, twin_of
from training.twin import neighbours
from training.twin.export import export
from training.twin.graph import NotConvertible

Change = Callable[[onnx.ModelProto], None]
Alter = Callable[[Predictions], Predictions]


def spoiled(monkeypatch: pytest.MonkeyPatch, name: str, on: str, change: Change) -> Twin | str:
    """What the gate says of a twin that was changed after its export."""

    def exported(*arguments: Any) -> bytes:
        model = onnx.load_from_string(export(*arguments))
        change(model)
        body: bytes = model.SerializeToString()
        return body

    monkeypatch.setattr(parity, "export", exported)
    return outcome(name, on)


def attribute(model: onnx.ModelProto, op: str, name: str) -> onnx.AttributeProto:
    nodes = [node for node in model.graph.node if node.op_type == op]
    found: list[onnx.AttributeProto] = [one for node in nodes for one in node.attribute if one.name == name]
    (only,) = found
    return only


def moved(tensor: onnx.TensorProto, by: Callable[[Any], Any]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(by(numpy_helper.to_array(tensor).copy()), tensor.name))


def initializer(model: onnx.ModelProto, shape: tuple[int, ...]) -> onnx.TensorProto:
    found: list[onnx.TensorProto] = [one for one in model.graph.initializer if tuple(one.dims) == shape]
    return found[0]


def test_a_twin_as_it_was_exported_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    said = spoiled(monkeypatch, "RandomForestClassifier", "iris", lambda _: None)
    assert isinstance(said, Twin)
    assert said.parity.label_differences == 0
    assert said.parity.largest_difference < 1e-12


@pytest.mark.parametrize("name", ["DecisionTreeClassifier", "RandomForestClassifier", "GradientBoostingClassifier"])
def test_thresholds_rounded_to_float32_the_wrong_way_are_noticed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def up(model: onnx.ModelProto) -> None:
        def next_above(splits: Any) -> Any:
            return np.nextafter(splits.astype(np.float32), np.float32(np.inf)).astype(np.float64)

        for node in model.graph.node:
            for one in node.attribute:
                if one.name == "nodes_splits":
                    moved(one.t, next_above)

    said = spoiled(monkeypatch, name, "iris", up)
    assert isinstance(said, str)
    assert said.startswith(("the twin gives ", "a probability of the twin is "))


def test_a_scaler_in_single_precision_before_a_forest_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def single(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            if tuple(tensor.dims) == (30,):  # means and scales
                moved(tensor, lambda numbers: numbers.astype(np.float32).astype(np.float64))

    said = spoiled(monkeypatch, "RandomForestClassifier", "cancer", single)
    assert isinstance(said, str)


def test_a_coefficient_off_by_a_ten_thousandth_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def off(model: onnx.ModelProto) -> None:
        moved(initializer(model, (4, 3)), lambda weights: weights * (1 + 1e-4))

    said = spoiled(monkeypatch, "LogisticRegression", "iris", off)
    assert isinstance(said, str)
    assert said.startswith("a probability of the twin is ")
    assert said.endswith("away from scikit-learn's, of 1e-05 allowed")


def test_a_value_off_by_a_ten_thousandth_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def off(model: onnx.ModelProto) -> None:
        moved(attribute(model, "TreeEnsemble", "leaf_weights").t, lambda weights: weights * (1 + 1e-4))

    said = spoiled(monkeypatch, "RandomForestRegressor", "diabetes", off)
    assert said == "a value of the twin is 1.0e-04 away from scikit-learn's, of 1e-05 allowed"


def test_two_labels_exchanged_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def exchange(model: onnx.ModelProto) -> None:
        moved(initializer(model, (4, 3)), lambda weights: weights[:, [1, 0, 2]])
        moved(initializer(model, (3,)), lambda intercepts: intercepts[[1, 0, 2]])

    said = spoiled(monkeypatch, "LogisticRegression", "iris", exchange)
    assert isinstance(said, str)
    assert said.endswith("of 150 rows another label")


def test_a_twin_that_takes_what_scikit_learn_refuses_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def take_all(model: onnx.ModelProto) -> None:
        (output,) = (output for output in model.graph.output if output.name == "refused")
        model.graph.output.remove(output)

    said = spoiled(monkeypatch, "OneHotEncoder", "people", take_all)
    assert isinstance(said, str)
    assert said.endswith("rows that scikit-learn refuses")


def test_a_missing_text_taken_for_an_unknown_one_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def forget(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            for one in node.attribute:
                if one.name == "keys_strings" and b"\xff" in one.strings:
                    one.strings[list(one.strings).index(b"\xff")] = b"nothing"

    said = spoiled(monkeypatch, "OneHotEncoder of numbers and booleans", "people", forget)
    assert isinstance(said, str)


def test_an_unseen_category_taken_for_a_known_one_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            for one in node.attribute:
                if one.name == "default_int64":
                    one.i = 0

    said = spoiled(monkeypatch, "LogisticRegression", "people", take)
    assert isinstance(said, str)
    assert said.startswith(("the twin gives ", "a probability of the twin is "))


def test_a_median_that_lies_between_two_members_is_the_lower_one_of_them() -> None:
    table = engines.diabetes()
    pipeline = AdaBoostRegressor(n_estimators=2, random_state=0).fit(table.features, table.target)
    pipeline.estimator_weights_ = np.ones(len(pipeline.estimators_))
    figures = twin_of(pipeline, engines.signature_of(table, []), table.features).parity
    assert figures.largest_difference == 0


def test_neighbours_taken_in_another_order_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Iris holds rows with neighbours equally far, of which scikit-learn finds some first."""

    def in_no_order(model: onnx.ModelProto) -> None:
        for tensor in model.graph.initializer:
            if tuple(tensor.dims) == (150,):  # the points' places in the tree
                moved(tensor, lambda places: places[::-1])

    said = spoiled(monkeypatch, "KNeighborsClassifier", "iris", in_no_order)
    assert isinstance(said, str)


def outcome(name: str, on: str) -> Twin | str:
    (case,) = (case for case in engines.cases() if (case.name, case.on) == (name, on))
    return case.outcome()


def answering(monkeypatch: pytest.MonkeyPatch, by_columns: Alter | None = None, by_rows: Alter | None = None) -> None:
    """Puts an engine into the gate that alters what the twin said."""

    class Altered(OnnxEngine):
        def predict_columns(self, columns: Any) -> Predictions:
            found = super().predict_columns(columns)
            return by_columns(found) if by_columns else found

        def predict_rows(self, rows: Any) -> Predictions:
            found = super().predict_rows(rows)
            return by_rows(found) if by_rows else found

    monkeypatch.setattr(parity, "OnnxEngine", Altered)


def one_label(row: int) -> Alter:
    def change(found: Predictions) -> Predictions:
        classes = np.array(found.classes)
        if len(classes) > row:
            classes[row] = (classes[row] + 1) % 3
        return Predictions(classes.tolist(), found.probabilities, None)

    return change


def one_probability(by: float) -> Alter:
    def change(found: Predictions) -> Predictions:
        chances = np.array(found.probabilities)
        if len(chances):
            chances[0, 0] += by
        return Predictions(found.classes, chances, None)  # type: ignore[arg-type] # arrays, as from columns

    return change


def test_one_label_of_one_row_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, by_columns=one_label(149))
    assert outcome("SVC", "iris") == "the twin gives 1 of 150 rows another label"


def test_one_label_of_a_row_asked_as_requests_are_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, by_rows=one_label(100))
    assert outcome("SVC", "iris") == "the twin gives 1 of 150 rows another label"


def test_a_tie_excuses_no_label_of_a_row_of_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every number of iris is positive, so that BernoulliNB gives all classes one probability, on every row."""
    answering(monkeypatch, by_columns=one_label(3))
    assert outcome("BernoulliNB", "iris") == "the twin gives 1 of 150 rows another label"


def test_a_label_that_differs_in_a_tie_of_a_made_row_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def change(found: Predictions) -> Predictions:
        return one_label(0)(found) if len(np.array(found.classes)) != 150 else found

    answering(monkeypatch, by_columns=change)
    twin = outcome("BernoulliNB", "iris")
    assert isinstance(twin, Twin)
    assert twin.parity.label_differences > 0
    assert twin.parity.ties == twin.parity.made == twin.parity.rows - 150


def test_two_hundred_thousandths_of_one_probability_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, by_columns=one_probability(2e-5))
    said = outcome("LogisticRegression", "iris")
    assert said == "a probability of the twin is 2.0e-05 away from scikit-learn's, of 1e-05 allowed"


def test_less_than_a_hundred_thousandth_passes_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, by_columns=one_probability(9e-6))
    twin = outcome("LogisticRegression", "iris")
    assert isinstance(twin, Twin)
    assert twin.parity.largest_difference == pytest.approx(9e-6)


def test_numbers_that_are_none_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(model: onnx.ModelProto) -> None:
        moved(initializer(model, (3,)), lambda intercepts: intercepts * np.nan)

    said = spoiled(monkeypatch, "LogisticRegression", "iris", nothing)
    assert said == "the twin has no finite number for 150 of 150 rows that scikit-learn answers"


def test_probabilities_left_out_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, by_columns=lambda found: Predictions(found.classes, None, None))
    said = outcome("LogisticRegression", "iris")
    assert said == "one of twin and scikit-learn has probabilities, the other has none"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("a shape\n  that is none"), "RuntimeError: a shape that is none"),
        (RecursionError(), "RecursionError"),
        (MemoryError("bad allocation"), "MemoryError: bad allocation"),
        (KeyError("x"), "KeyError: 'x'"),
        (NotImplementedError("word " * 1000), "NotImplementedError: word word"),
        (NotConvertible("a step of one's own"), "a step of one's own"),
    ],
)
def test_whatever_an_export_raises_is_one_line(monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str) -> None:
    def fails(*_: Any) -> bytes:
        raise error

    monkeypatch.setattr(parity, "export", fails)
    said = outcome("SVC", "iris")
    assert isinstance(said, str)
    assert said.startswith(reason)
    assert len(said) <= 300
    assert "\n" not in said


def test_a_gate_that_fails_itself_lets_nothing_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> Any:
        raise ZeroDivisionError("no rows")

    monkeypatch.setattr(parity, "probes", fails)
    assert outcome("SVC", "iris") == "ZeroDivisionError: no rows"


def test_k_nn_over_more_points_than_a_graph_should_compare_is_left_to_its_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "MOST_NUMBERS", 599)
    for name in ("KNeighborsClassifier", "KNeighborsClassifier(distance)"):
        assert outcome(name, "iris") == "k-NN over 150 points of 4 features; its tree is faster"


def test_a_table_that_is_wide_is_compared_on_fewer_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "MOST_CELLS", 20_000)
    random = np.random.default_rng(0)
    features = pd.DataFrame(random.normal(size=(80, 200)), columns=[f"x{at}" for at in range(200)])
    features["city"] = pd.Series([f"city {at % 70}" for at in range(80)], dtype="str")
    table = engines.Table(features, random.integers(0, 2, 80), "classification")
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["city"]), remainder="passthrough")
    pipeline = make_pipeline(encode, LogisticRegression()).fit(features, table.target)
    figures = twin_of(pipeline, engines.signature_of(table, [0, 1]), features).parity
    assert 80 + 500 < figures.rows == 80 + figures.made < 1600


def test_rows_that_scikit_learn_refuses_without_end_are_not_all_asked() -> None:
    """Hardly any made number is one that the encoder saw."""
    features = pd.DataFrame({"year": np.arange(300.0)})
    table = engines.Table(features, np.arange(300) % 2, "classification")
    pipeline = make_pipeline(OneHotEncoder(), LogisticRegression()).fit(features, table.target)
    figures = twin_of(pipeline, engines.signature_of(table, [0, 1]), features).parity
    assert 300 < figures.rows < 300 + 8 * (MOST_REFUSED + 10)


def test_several_targets_at_once_have_no_twin() -> None:
    table = engines.diabetes()
    for estimator in (RandomForestRegressor(3), LinearRegression(), KNeighborsRegressor()):
        pipeline = estimator.fit(table.features, np.column_stack([table.target, table.target]))
        with pytest.raises(NoTwin):
            twin_of(pipeline, engines.signature_of(table, []), table.features)


def test_bytes_that_are_no_model_are_no_twin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parity, "export", lambda *_: b"no model")
    said = outcome("SVC", "iris")
    assert isinstance(said, str)
    assert said.startswith("ONNX Runtime: ")


class Guess(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A classifier of the user's own, which nothing can export."""

    def fit(self, _: Any, y: Any) -> "Guess":
        self.classes_ = np.unique(y)
        return self

    def predict(self, features: Any) -> Any:
        return np.repeat(self.classes_[:1], len(features))


def test_an_estimator_of_ones_own_is_served_by_scikit_learn_and_the_reason_is_one_line() -> None:
    table = engines.iris()
    pipeline = Guess().fit(table.features, table.target)
    signature = engines.signature_of(table, pipeline.classes_.tolist())
    with pytest.raises(NoTwin) as refused:
        twin_of(pipeline, signature, table.features)
    assert str(refused.value) == "skl2onnx does not know Guess"


@pytest.mark.parametrize("labels", [[3, 10], [False, True], ["no", "yes"], [-1, 2, 7], ["", "a b", "é"]])
def test_labels_of_every_type_keep_their_places(labels: list[Any]) -> None:
    random = np.random.default_rng(0)
    target = np.array(
        [labels[at] for at in random.integers(0, len(labels), 120)], object if isinstance(labels[0], str) else None
    )
    features = pd.DataFrame({"a": random.normal(size=120), "b": random.normal(size=120)})
    table = engines.Table(features, target, "classification")
    for make in (
        engines.CLASSIFIERS[name] for name in ("LogisticRegression", "GaussianNB", "DecisionTreeClassifier", "SVC")
    ):
        pipeline = make().fit(features, target)
        assert twin_of(pipeline, engines.signature_of(table, pipeline.classes_.tolist()), features).parity.rows > 2000


def test_the_same_pipeline_gives_the_same_bytes_and_figures() -> None:
    assert outcome("RandomForestClassifier", "people") == outcome("RandomForestClassifier", "people")
