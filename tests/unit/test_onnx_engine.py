"""The twin's engine: what it makes of rows and columns, beside scikit-learn on the same pipeline."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper

from functions.inference.joblib_engine import JoblibEngine
from functions.inference.onnx_engine import MISSING_TEXT, ROWS, OnnxEngine
from functions.inference.onnx_runtime import OnnxRuntimeError, Session, Tensor
from functions.signature import Cell, Feature, Signature
from tests import engines
from training.twin.export import export

PEOPLE: list[list[Cell]] = [
    [41.0, 30000.0, "Bern", "plus", True, False],
    [None, 12000.5, None, "basic", False, None],
    [19.0, 99999.0, "两个字", "10", False, True],
    [55.0, 1.0, "nowhere", "plus", True, None],
    [55.0, 1.0, "", "\x00", True, None],
    [55.0, 1.0, "Bern\x00", "\ud800", True, None],
]


def pair(name: str, on: str) -> tuple[OnnxEngine, JoblibEngine, Signature]:
    (case,) = (case for case in engines.cases() if (case.name, case.on) == (name, on))
    pipeline, signature = case.fitted()
    return OnnxEngine(export(pipeline, signature, "double"), signature), JoblibEngine(pipeline, signature), signature


def columns(rows: list[list[Cell]], signature: Signature) -> list[Any]:
    made = []
    for at, feature in enumerate(signature.features):
        cells = [row[at] for row in rows]
        if feature.dtype == "string":
            made.append(np.array(cells, dtype=object))
        elif feature.dtype == "bool" and not feature.nullable:
            made.append(np.array(cells, dtype=bool))
        else:
            made.append(np.array([np.nan if cell is None else cell for cell in cells], dtype=float))
    return made


def test_texts_booleans_and_gaps_are_read_as_scikit_learn_reads_them() -> None:
    twin, own, _ = pair("LogisticRegression", "people")
    found, expected = twin.predict_rows(PEOPLE), own.predict_rows(PEOPLE)
    assert found.classes == expected.classes
    assert np.asarray(found.probabilities) == pytest.approx(np.asarray(expected.probabilities), abs=1e-12)
    assert found.values is expected.values is None


@pytest.mark.parametrize(("name", "on"), [("RandomForestClassifier", "people"), ("SVR", "rents"), ("SVC", "people")])
def test_rows_come_back_as_plain_lists_and_columns_as_arrays_of_the_same(name: str, on: str) -> None:
    twin, own, signature = pair(name, on)
    rows = [PEOPLE[at % len(PEOPLE)] for at in range(5000)]  # more than one block
    listed, arrays = twin.predict_rows(rows), twin.predict_columns(columns(rows, signature))
    expected = own.predict_columns(columns(rows, signature))
    for part in ("classes", "probabilities", "values"):
        plain, array, wanted = (getattr(found, part) for found in (listed, arrays, expected))
        if wanted is None:
            assert plain is array is None
            continue
        assert type(plain) is list
        assert type(plain[0]) is {"classes": int, "probabilities": list, "values": float}[part]
        assert array.dtype == (np.int64 if part == "classes" else np.float64)
        assert array.shape == np.asarray(wanted).shape
        assert np.asarray(plain) == pytest.approx(np.asarray(wanted), abs=1e-9)
        assert array == pytest.approx(np.asarray(wanted), abs=1e-9)


@pytest.mark.parametrize(("name", "on"), [("LogisticRegression", "iris"), ("SVC", "iris"), ("SVR", "rents")])
def test_no_rows_are_predicted_as_nothing(name: str, on: str) -> None:
    twin, own, signature = pair(name, on)
    for found, expected in (
        (twin.predict_rows([]), own.predict_rows([])),
        (twin.predict_columns(columns([], signature)), own.predict_columns(columns([], signature))),
    ):
        for part in ("classes", "probabilities", "values"):
            given, wanted = getattr(found, part), getattr(expected, part)
            assert (given is None) == (wanted is None)
            assert given is None or len(given) == 0


@pytest.mark.parametrize("row", [0, 1, 4999])
def test_a_category_that_scikit_learn_refuses_is_refused(row: int) -> None:
    twin, own, signature = pair("OneHotEncoder", "people")
    rows = [list(PEOPLE[0]) for _ in range(5000)]
    rows[row][3] = "a plan that nobody has"
    for engine, told in ((own, "unknown categories"), (twin, "a category that training did not see")):
        with pytest.raises(ValueError, match=told):
            engine.predict_rows(rows)
        with pytest.raises(ValueError, match=told):
            engine.predict_columns(columns(rows, signature))


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # by scikit-learn, before it refuses
def test_a_number_too_large_for_a_tree_is_refused() -> None:
    twin, own, _ = pair("DecisionTreeClassifier", "iris")
    largest = float(np.finfo(np.float32).max)
    assert twin.predict_rows([[largest, 1.0, 1.0, 1.0]]) == own.predict_rows([[largest, 1.0, 1.0, 1.0]])
    for engine in (twin, own):
        with pytest.raises(ValueError, match="too large"):
            engine.predict_rows([[largest * 1.001, 1.0, 1.0, 1.0]])


def model(inputs: Sequence[tuple[str, int]], output: str, note: str | None = None) -> bytes:
    """Gives zeros of any input."""
    infos = [helper.make_tensor_value_info(name, kind, [None, None]) for name, kind in inputs]
    nodes = [
        helper.make_node("Shape", [inputs[0][0]], ["shape"], end=1),
        helper.make_node(
            "ConstantOfShape", ["shape"], [output], value=helper.make_tensor("zero", TensorProto.INT64, [1], [0])
        ),
    ]
    graph = helper.make_graph(nodes, "test", infos, [helper.make_tensor_value_info(output, TensorProto.INT64, [None])])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    if note:
        helper.set_model_props(made, {ROWS: note})
    body: bytes = made.SerializeToString()
    return body


def test_a_model_of_another_signature_is_refused() -> None:
    number, text = Feature("x", "float64", False), Feature("t", "string", False)
    numbers, texts = ("numbers", TensorProto.DOUBLE), ("texts", TensorProto.STRING)
    for features, inputs, output in (
        ([number, text], [numbers], "classes"),
        ([number], [numbers, texts], "classes"),
        ([text], [numbers], "classes"),
        ([number], [("other", TensorProto.DOUBLE)], "classes"),
        ([number], [numbers], "label"),
    ):
        with pytest.raises(OnnxRuntimeError, match="INVALID_GRAPH"):
            OnnxEngine(model(inputs, output), Signature("classification", features, "y", [0, 1]))


def test_the_models_note_says_how_many_rows_run_at_once() -> None:
    signature = Signature("classification", [Feature("x", "float64", False)], "y", [0, 1])
    engine = OnnxEngine(model([("numbers", TensorProto.DOUBLE)], "classes", "7"), signature)
    assert np.asarray(engine.predict_columns([np.arange(100.0)]).classes).tolist() == [0] * 100
    assert engine.predict_rows([[float(row)] for row in range(100)]).classes == [0] * 100


def test_a_request_of_many_rows_is_run_in_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """k-NN holds thousands of numbers for each row; all rows of a request at once could take all memory."""
    twin, own, _ = pair("KNeighborsClassifier", "people")
    sizes = []
    run = Session.run

    def counted(session: Session, tensors: Sequence[Tensor]) -> list[Tensor]:
        sizes.append(tensors[0].shape[0])
        return run(session, tensors)

    monkeypatch.setattr(Session, "run", counted)
    rows = [PEOPLE[at % len(PEOPLE)] for at in range(3000)]
    assert twin.predict_rows(rows) == own.predict_rows(rows)
    assert sum(sizes) == 3000
    assert max(sizes) * 240 * 13 * 8 < 40 << 20  # points, features after encoding, bytes


def test_no_text_is_encoded_as_the_missing_one() -> None:
    for place in range(0x110000):
        assert MISSING_TEXT not in chr(place).encode("utf-8", "surrogatepass")
