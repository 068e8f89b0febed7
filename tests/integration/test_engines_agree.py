"""Through the public door both engines say the same: status, labels, keys, types and errors, whatever is sent."""

import json
import math
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.naive_bayes import CategoricalNB
from threadpoolctl import threadpool_limits

from functions import loader
from functions.live import LiveModel
from functions.predict import PredictDoor
from functions.registry.memory import MemoryStore
from functions.signature import Cell, Feature, Signature
from tests import engines
from tests.models import VERSION, publish_model
from training.asking import as_cells
from training.parity import TOLERANCE, Twin, twin_of
from training.probes import LARGEST, columns_of

CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")

MODELS = [
    ("LogisticRegression", "iris"),
    ("KNeighborsClassifier", "iris"),
    ("SVC", "iris"),
    ("DecisionTreeClassifier", "cancer"),
    ("GaussianNB", "cancer"),
    ("RandomForestClassifier", "people"),
    ("HistGradientBoostingClassifier", "people"),
    ("HistGradientBoostingClassifier(categorical_features)", "people"),
    ("SimpleImputer(add_indicator)", "people"),
    ("OneHotEncoder", "people"),
    ("OneHotEncoder of numbers and booleans", "people"),
    ("OrdinalEncoder(unknown_value)", "people"),
    ("CategoricalNB", "iris"),
    ("nothing but texts", "people"),
    ("LinearRegression", "rents"),
    ("GradientBoostingRegressor", "rents"),
    ("KNeighborsRegressor", "diabetes"),
]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Histogram gradient boosting would start threads for every row, and wait for them on a busy machine."""
    with threadpool_limits(1):
        yield


@cache
def served(name: str, on: str) -> tuple[PredictDoor, PredictDoor, Signature, list[list[Cell]]]:
    """One pipeline behind two doors, scikit-learn's and its twin's; and rows of its training."""
    (case,) = (case for case in engines.cases() if (case.name, case.on) == (name, on))
    pipeline, signature = case.fitted()
    rows = as_cells(columns_of(case.table().features, signature), signature)
    twin = twin_of(pipeline, signature, case.table().features)
    return door(pipeline, signature, rows, None), door(pipeline, signature, rows, twin), signature, rows


def door(pipeline: Any, signature: Signature, rows: list[list[Cell]], twin: Twin | None) -> PredictDoor:
    store = MemoryStore()
    publish_model(store, pipeline, signature, rows[:3], name="model", twin=twin.model if twin else None)
    made = PredictDoor(LiveModel(loader.RegistrySource(store, loader.Reference("model"))).start())
    assert made._live.get().engine.name == ("onnx" if twin else "joblib")
    return made


def asked(ask: PredictDoor, body: str) -> tuple[int, dict[str, str], Any]:
    answer = ask(json.loads(EVENT) | {"body": body}, CONTEXT)
    return answer["statusCode"], answer["headers"], json.loads(answer["body"])


EVENT = json.dumps(
    {
        "version": "2.0",
        "rawPath": "/predict",
        "rawQueryString": "",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/predict"}, "stage": "$default"},
        "isBase64Encoded": False,
    }
)


def both(name: str, on: str, body: Any) -> tuple[int, Any]:
    """The answer of either door, after they were compared."""
    own, twin, _, _ = served(name, on)
    text = body if isinstance(body, str) else json.dumps(body)
    (status, headers, expected), (its_status, its_headers, found) = asked(own, text), asked(twin, text)
    assert (its_status, its_headers) == (status, headers), (expected, found)
    if status != 200:
        assert found == expected
        return status, found
    assert list(found) == list(expected)
    assert found["model"] == expected["model"] == {"name": "model", "version": VERSION}
    assert list(map(type, found["predictions"])) == list(map(type, expected["predictions"]))
    if engines_task(name, on) == "regression":
        for one, other in zip(found["predictions"], expected["predictions"], strict=True):
            assert math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    else:
        assert found["predictions"] == expected["predictions"]
    for one, other in zip(found.get("probabilities", []), expected.get("probabilities", []), strict=True):
        assert list(one) == list(other)
        assert [type(chance) for chance in one.values()] == [float] * len(one)
        assert all(abs(one[label] - other[label]) <= TOLERANCE for label in one)
    return status, found


def engines_task(name: str, on: str) -> str:
    return served(name, on)[2].task


@pytest.mark.parametrize(("name", "on"), MODELS)
def test_rows_of_training_are_answered_alike_one_by_one_and_together(name: str, on: str) -> None:
    rows = served(name, on)[3][:40]
    status, together = both(name, on, {"instances": rows})
    assert status == 200
    for row, prediction in zip(rows[:5], together["predictions"], strict=False):
        assert both(name, on, {"instances": [row]})[1]["predictions"] == [prediction]


@pytest.mark.parametrize(("name", "on"), MODELS)
def test_no_rows_are_answered_with_no_predictions(name: str, on: str) -> None:
    status, answer = both(name, on, {"instances": []})
    assert (status, answer["predictions"], answer.get("probabilities", [])) == (200, [], [])


@pytest.mark.parametrize(("name", "on"), MODELS)
def test_whatever_is_wrong_with_a_request_is_told_alike(name: str, on: str) -> None:
    _, _, signature, rows = served(name, on)
    good, named = rows[0], dict(zip(signature.names, rows[0], strict=True))
    first = signature.names[0]
    wrong: tuple[Any, ...] = (
        [good[:-1]],
        [[*good, 1]],
        [good, named | {"unknown": 1}],
        [{key: cell for key, cell in named.items() if key != first}],
        [[[]] * len(good)],
        [["abc"] * len(good)],
        [[2**53 + 1] * len(good)],
        [[10**400] * len(good)],
        [[None] * len(good)],
        [[True] * len(good), good, [1] * len(good)],
        [good, "row"],
        good,
    )
    for sent in wrong:
        assert both(name, on, {"instances": sent})[0] in (200, 400)
    for body in ("", "{", '{"instances": [[NaN]]}', '{"instances": [[Infinity]]}', '{"instances": 1}', "[]"):
        assert both(name, on, body)[0] == 400


def edge_cells(feature: Feature) -> Iterator[Any]:
    if feature.dtype == "float64":
        tiny, single = 5e-324, float(np.finfo(np.float32).max)
        yield from (0.0, -0.0, tiny, -tiny, 2.2e-308, 1e-45, 1e-300, single, single * 1.0000001, -3.5e38, 1e39)
        yield from (2**53, 2**53 + 2, 2**60, -(2**60), LARGEST, -LARGEST)
    elif feature.dtype == "string":
        yield from (
            "",
            " ",
            "0",
            "NaN",
            "None",
            "\x00",
            "a\x00b",
            "Zürich",
            "Zu\u0308rich",
            "两个字",
            "\U0001f600",
            "x" * 5000,
        )
    else:
        yield from (True, False)
    yield None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scikit-learn's own, of numbers that no table holds
@pytest.mark.parametrize(("name", "on"), MODELS)
def test_cells_at_the_edge_of_their_type_are_answered_or_refused_alike(name: str, on: str) -> None:
    _, _, signature, rows = served(name, on)
    statuses = set()
    for at, feature in enumerate(signature.features[:8]):
        for cell in edge_cells(feature):
            row = [*rows[at][:at], cell, *rows[at][at + 1 :]]
            statuses.add(both(name, on, {"instances": [row]})[0])
    assert 200 in statuses
    assert statuses <= {200, 400}


def test_a_category_that_nobody_saw_is_refused_alike_where_the_encoder_refuses_it() -> None:
    rows = [list(row) for row in served("OneHotEncoder", "people")[3][:5]]
    rows[1][3] = rows[4][3] = "a plan that nobody has"
    status, answer = both("OneHotEncoder", "people", {"instances": rows})
    told = {
        "column": None,
        "found": "a category or a number that the model refuses",
        "expected": "categories that training saw, and numbers of their size",
    }
    assert (status, answer["error"]) == (
        400,
        {
            "code": "invalid_rows",
            "message": "2 of 5 rows cannot be scored",
            "details": [{"row": 1, **told}, {"row": 4, **told}],
        },
    )
    assert both("OrdinalEncoder(unknown_value)", "people", {"instances": rows})[0] == 200


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # by scikit-learn, before it refuses
def test_a_number_over_float32_is_refused_alike_by_trees() -> None:
    rows = served("DecisionTreeClassifier", "cancer")[3][:2]
    status, answer = both("DecisionTreeClassifier", "cancer", {"instances": [rows[0], [1e60, *rows[1][1:]]]})
    assert (status, [detail["row"] for detail in answer["error"]["details"]]) == (400, [1])


def test_a_place_in_no_table_is_a_clients_mistake_by_either_engine() -> None:
    """CategoricalNB raises an IndexError for it."""
    signature = Signature("classification", [Feature("place", "float64", False)], "y", [0, 1])
    table = np.array([[0.0], [1.0], [2.0], [0.0]])
    pipeline = CategoricalNB().fit(table, [0, 1, 1, 0])
    twin = twin_of(pipeline, signature, pd.DataFrame(table, columns=["place"]))
    rows: list[list[Cell]] = [[0.0], [1.0], [2.0]]
    answers = [
        asked(door(pipeline, signature, rows, own), '{"instances": [[0], [7], [2], [1.9]]}') for own in (None, twin)
    ]
    assert answers[0] == answers[1]
    assert (answers[0][0], [detail["row"] for detail in answers[0][2]["error"]["details"]]) == (400, [1])


def instances(signature: Signature, rows: list[list[Cell]]) -> st.SearchStrategy[list[Any]]:
    """Rows of training with some cells exchanged by anything that JSON can hold."""

    def cell(at: int) -> st.SearchStrategy[Any]:
        feature = signature.features[at]
        seen = st.sampled_from([row[at] for row in rows])
        fitting: st.SearchStrategy[Any]
        if feature.dtype == "float64":
            fitting = st.floats(-LARGEST, LARGEST, allow_nan=False) | st.integers(-(2**60), 2**60)
        else:
            fitting = st.booleans() if feature.dtype == "bool" else st.text()
        odd: st.SearchStrategy[Any] = st.none() | st.booleans() | st.text(max_size=3) | st.integers() | st.just([])
        return st.one_of(seen, seen, fitting, fitting, st.sampled_from(list(edge_cells(feature))), odd)

    places = st.integers(0, len(signature.features) - 1)
    changes = st.dictionaries(places, st.none(), max_size=3).flatmap(
        lambda chosen: st.fixed_dictionaries({at: cell(at) for at in chosen})
    )

    def changed(row: list[Cell], by: dict[int, Any], as_object: bool) -> Any:
        cells = [by.get(at, one) for at, one in enumerate(row)]
        return dict(zip(signature.names, cells, strict=True)) if as_object else cells

    return st.lists(st.builds(changed, st.sampled_from(rows), changes, st.booleans()), max_size=6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scikit-learn's own, of numbers that no table holds
@pytest.mark.parametrize(("name", "on"), MODELS)
def test_whatever_is_sent_is_answered_alike(name: str, on: str) -> None:
    _, _, signature, rows = served(name, on)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True)
    @given(instances(signature, rows[:50]))
    def alike(sent: list[Any]) -> None:
        assert both(name, on, {"instances": sent})[0] in (200, 400)

    alike()
