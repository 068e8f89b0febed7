"""The C API by ctypes, beside the onnxruntime package on the same models and the same numbers."""

import array
import gc
import resource
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from functions.inference.onnx_library import Library, library_path
from functions.inference.onnx_runtime import (
    LEAST_MODEL,
    ElementType,
    OnnxRuntimeError,
    Session,
    Tensor,
    runtime,
)
from tests.conftest import PROJECT

ONNX_TYPES: dict[ElementType, int] = {
    "float": TensorProto.FLOAT,
    "double": TensorProto.DOUBLE,
    "int64": TensorProto.INT64,
    "bool": TensorProto.BOOL,
    "string": TensorProto.STRING,
}
NUMPY_TYPES: dict[ElementType, Any] = {
    "float": np.float32,
    "double": np.float64,
    "int64": np.int64,
    "bool": np.bool_,
}
TEXTS = ["", "Bern", "Zürich", "日本", "🙂", "a" * 1000, "two words", "\n", "é" * 31]
NUMBERS = [0.0, -0.0, 1.5, -1e-300, 1e300, float("inf"), float("-inf"), float("nan"), 5e-324]


def model(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> bytes:
    graph = helper.make_graph(nodes, "test", inputs, outputs)
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("ai.onnx.ml", 3)]
    made: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()
    return made


def passing(kind: ElementType, width: int = 3) -> bytes:
    """Takes n rows of `width` elements and gives them as they are, and transposed."""
    code = ONNX_TYPES[kind]
    return model(
        [helper.make_node("Identity", ["x"], ["same"]), helper.make_node("Transpose", ["x"], ["turned"])],
        [helper.make_tensor_value_info("x", code, [None, width])],
        [
            helper.make_tensor_value_info("same", code, [None, width]),
            helper.make_tensor_value_info("turned", code, [width, None]),
        ],
    )


def doubling() -> bytes:
    double = TensorProto.DOUBLE
    return model(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [helper.make_tensor_value_info("x", double, [None])],
        [helper.make_tensor_value_info("y", double, [None])],
    )


def numpy_of(tensor: Tensor) -> Any:
    if tensor.type == "string":
        return np.array([text.decode() for text in tensor.data], dtype=object).reshape(tensor.shape)
    return np.frombuffer(tensor.data, dtype=NUMPY_TYPES[tensor.type]).reshape(tensor.shape)


@pytest.mark.parametrize("rows", [0, 1, 2, 3000])
@pytest.mark.parametrize("kind", ["double", "float", "int64", "bool", "string"])
def test_every_type_of_tensor_comes_out_as_the_python_package_gives_it(kind: ElementType, rows: int) -> None:
    if kind == "string":
        given = np.resize(np.array(TEXTS, dtype=object), (rows, 3))
        data: Any = [text.encode() for text in given.reshape(-1)]
    else:
        numbers = {"int64": [0, -1, 2**63 - 1, -(2**63)], "bool": [True, False]}.get(kind, NUMBERS)
        with np.errstate(over="ignore", under="ignore"):
            given = np.resize(np.array(numbers).astype(NUMPY_TYPES[kind]), (rows, 3))
        data = given.copy()
    body = passing(kind)
    expected = onnxruntime.InferenceSession(body).run(None, {"x": given})
    found = Session(body).run([Tensor(kind, (rows, 3), data)])
    assert [tensor.shape for tensor in found] == [(rows, 3), (3, rows)]
    for tensor, wanted in zip(found, expected, strict=True):
        assert tensor.type == kind
        np.testing.assert_array_equal(numpy_of(tensor), wanted)
        flat = tensor.tolist()
        assert len(flat) == 3 * rows
        if kind != "string":
            np.testing.assert_array_equal(np.array(flat, dtype=NUMPY_TYPES[kind]), wanted.reshape(-1))


def test_a_text_keeps_its_zero_bytes_and_bytes_that_are_no_utf8() -> None:
    texts = [b"a\0b", b"\0", b"a", b"\xff", b"tail\0", b""]
    (same, _) = Session(passing("string")).run([Tensor("string", (2, 3), texts)])
    assert same.data == texts


def test_inputs_and_outputs_carry_the_models_names() -> None:
    session = Session(passing("double"))
    assert (session.inputs, session.outputs) == (["x"], ["same", "turned"])


def test_a_scalar_has_no_dimensions() -> None:
    body = model(
        [helper.make_node("ReduceSum", ["x"], ["y"], keepdims=0)],
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None])],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, [])],
    )
    (found,) = Session(body).run([Tensor("double", (2,), array.array("d", [1.5, 2.0]))])
    assert (found.shape, found.tolist()) == ((), [3.5])


@pytest.mark.parametrize("body", [b"", b"not a model", b"\0" * 1000, doubling()[:-20]])
def test_bytes_that_are_no_model_are_refused_in_the_librarys_words(body: bytes) -> None:
    with pytest.raises(OnnxRuntimeError, match=r"^ONNX Runtime: .+ \([A-Z_]+\)$"):
        Session(body)


def test_a_tensor_that_does_not_fit_is_refused_and_the_session_goes_on() -> None:
    session = Session(doubling())
    with pytest.raises(OnnxRuntimeError, match="Unexpected input data type") as refused:
        session.run([Tensor("int64", (1,), array.array("q", [1]))])
    assert refused.value.code == "INVALID_ARGUMENT"
    with pytest.raises(OnnxRuntimeError, match="Invalid rank"):
        session.run([Tensor("double", (1, 1), array.array("d", [1.0]))])
    with pytest.raises(OnnxRuntimeError, match=r"not enough space|buffer"):
        session.run([Tensor("double", (1000,), array.array("d", [1.0]))])
    with pytest.raises(OnnxRuntimeError, match="2 tensors for the inputs"):
        session.run([Tensor("double", (1,), array.array("d", [1.0]))] * 2)
    with pytest.raises(OnnxRuntimeError, match="INVALID_ARGUMENT"):
        Session(passing("string")).run([Tensor("string", (2, 3), [b"too", b"few"])])
    (found,) = session.run([Tensor("double", (1,), array.array("d", [1.0]))])
    assert found.tolist() == [2.0]


def test_an_output_of_another_type_is_refused() -> None:
    body = model(
        [helper.make_node("Cast", ["x"], ["y"], to=TensorProto.INT8)],
        [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [None])],
        [helper.make_tensor_value_info("y", TensorProto.INT8, [None])],
    )
    with pytest.raises(OnnxRuntimeError, match="element type 3"):
        Session(body).run([Tensor("double", (1,), array.array("d", [1.0]))])


def test_an_output_that_is_no_tensor_is_refused() -> None:
    maps = helper.make_value_info(
        "maps",
        helper.make_sequence_type_proto(
            helper.make_map_type_proto(TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
        ),
    )
    body = model(
        [helper.make_node("ZipMap", ["x"], ["maps"], domain="ai.onnx.ml", classlabels_int64s=[0, 1])],
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
        [maps],
    )
    with pytest.raises(OnnxRuntimeError, match="not a tensor"):
        Session(body).run([Tensor("float", (1, 2), array.array("f", [0.5, 0.5]))])


def test_ten_thousand_runs_and_a_thousand_sessions_leave_no_memory_behind() -> None:
    numbers, texts = Session(passing("double")), Session(passing("string"))
    body = doubling()

    def work(times: int) -> None:
        for turn in range(times):
            numbers.run([Tensor("double", (100, 3), array.array("d", [1.0] * 300))])
            texts.run([Tensor("string", (10, 3), [b"%d and more than fits into a short string" % turn] * 30)])
            with pytest.raises(OnnxRuntimeError):
                numbers.run([Tensor("int64", (1, 3), array.array("q", [1, 2, 3]))])
            if turn % 10 == 0:
                Session(body)

    work(1000)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work(10_000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 4096, f"{grown} KiB more"  # a leak of one of the tensors alone would be 24,000 and more


def test_threads_share_a_session_and_each_gets_its_own_answer() -> None:
    session = Session(doubling())

    def work(number: int) -> bool:
        for step in range(200):
            value = float(number * 1000 + step)
            (found,) = session.run([Tensor("double", (50,), array.array("d", [value] * 50))])
            if found.tolist() != [2 * value] * 50:
                return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(work, range(32)))


def test_runs_of_one_size_have_their_own_answers_and_earlier_ones_stay_as_they_were() -> None:
    session = Session(doubling())
    given = [[1.5, 2.5], [3.0, -1.0], [7.0], [0.25, 8.0], [9.0]]
    found = [session.run([Tensor("double", (len(row),), array.array("d", row))])[0] for row in given]
    assert [one.tolist() for one in found] == [[2 * value for value in row] for row in given]


def test_answers_may_differ_in_size_though_the_rows_do_not() -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["y"])]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n"])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.INT64, [1, "found"])]
    session = Session(model(nodes, inputs, outputs))
    given = [[1.0, 0.0, 2.0], [0.0, 0.0, 5.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.0, 2.0]]
    found = [session.run([Tensor("float", (3,), array.array("f", row))])[0].tolist() for row in given]
    assert found == [[0, 2], [2], [0, 1, 2], [], [0, 2]]


def test_data_that_does_not_fill_its_shape_is_refused_the_second_time_too() -> None:
    session = Session(doubling())
    right = Tensor("double", (2,), array.array("d", [1.0, 2.0]))
    for _ in range(2):
        assert session.run([right])[0].tolist() == [2.0, 4.0]
        with pytest.raises(OnnxRuntimeError):
            session.run([Tensor("double", (2,), array.array("d", [1.0]))])


def test_there_is_one_runtime_whoever_asks_first() -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len({id(made) for made in pool.map(lambda _: runtime(), range(32))}) == 1
    assert runtime().version == onnxruntime.__version__
    assert Library(library_path()).environment.value == runtime().environment.value


def test_without_the_wheel_the_error_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "onnxruntime")
    with pytest.raises(ImportError, match="there is no onnxruntime here"):
        library_path()


def test_the_least_model_is_one_by_onnx_too_and_gives_back_what_it_gets() -> None:
    onnx.checker.check_model(onnx.load_from_string(LEAST_MODEL), full_check=True)
    (found,) = Session(LEAST_MODEL).run([Tensor("double", (1,), array.array("d", [1.5]))])
    assert found == Tensor("double", (1,), struct.pack("d", 1.5))


def test_a_run_imports_neither_numpy_nor_the_python_package() -> None:
    program = (
        "import array, sys\n"
        "from functions.inference.onnx_runtime import Session, Tensor\n"
        f"session = Session({doubling()!r})\n"
        "print(session.run([Tensor('double', (1,), array.array('d', [1.5]))])[0].tolist())\n"
        "print(sorted({'numpy', 'onnxruntime', 'pathlib', 'importlib.metadata'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[3.0]\n[]\n", "")


def test_a_session_made_before_a_fork_runs_after_it() -> None:
    program = (
        "import array, os\n"
        "from functions.inference.onnx_runtime import Session, Tensor\n"
        f"session = Session({doubling()!r})\n"
        "run = lambda: session.run([Tensor('double', (1,), array.array('d', [1.5]))])[0].tolist()\n"
        "assert run() == [3.0]\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if run() == [3.0] else 1)\n"
        "print(os.waitpid(child, 0)[1], run())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0 [3.0]\n", "")
