"""NVIDIA's tritonclient, as it is, against /v2: what it sends by default too, which is binary tensors."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.models import IRIS, VERSION
from tests.serving import Served

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 6.0, 2.5]]
MISSING = float("nan")

TOGETHER = [["input-0", "FP64", ROWS]]
APART = [[name, "FP64", [[row[at]] for row in ROWS]] for at, name in reversed(list(enumerate(IRIS)))]

Asked = Callable[..., Any]


@pytest.fixture
def infer(served: Callable[[str], Served], run_program: Callable[..., Any]) -> Asked:
    """`infer(model, inputs)`: what the client says of the gateway that serves this model."""

    def ask(model: str, inputs: Any, **options: Any) -> Any:
        plain = {"model": model, "version": "", "id": "", "outputs": [], "binary": False, "compression": None}
        address = served(model).url.removeprefix("http://")
        return run_program("triton_infer", **{**plain, "address": address, "inputs": inputs, **options})

    return ask


def native(served: Served, rows: list[list[Any]]) -> dict[str, Any]:
    body = json.dumps({"instances": rows}).encode()
    found: dict[str, Any] = served.http.http("POST", "/predict", body).json
    return found


def test_the_client_finds_the_server_and_its_model(
    served: Callable[[str], Served], run_program: Callable[..., Any]
) -> None:
    address = served("iris").url.removeprefix("http://")
    assert run_program("triton_health", address=address, model="iris", version=VERSION) == {
        "live": True,
        "ready": True,
        "server": {"name": "serverless-sklearn", "version": "0.1.0", "extensions": []},
        "model ready": True,
        "model": {
            "name": "iris",
            "versions": [VERSION],
            "platform": "sklearn_joblib",
            "inputs": [{"name": name, "datatype": "FP64", "shape": [-1]} for name in IRIS],
            "outputs": [
                {"name": "predict", "datatype": "BYTES", "shape": [-1]},
                {"name": "probabilities", "datatype": "FP64", "shape": [-1, 3]},
            ],
        },
        "another ready": False,
    }


@pytest.mark.parametrize("binary", [False, True], ids=["JSON", "binary"])
@pytest.mark.parametrize("inputs", [TOGETHER, APART], ids=["one tensor", "a tensor per feature"])
@pytest.mark.parametrize("outputs", [[], ["probabilities", "predict"]], ids=["all outputs", "named outputs"])
def test_it_infers_what_the_native_protocol_predicts(
    infer: Asked, served: Callable[[str], Served], inputs: Any, outputs: list[str], binary: bool
) -> None:
    expected = native(served("iris"), ROWS)
    chances = [list(row.values()) for row in expected["probabilities"]]
    assert infer("iris", inputs, outputs=outputs, binary=binary, version=VERSION, id="42") == {
        "id": "42",
        "model": ["iris", VERSION],
        "outputs": {"predict": ["O", expected["predictions"]], "probabilities": ["f", chances]},
    }


@pytest.mark.parametrize("binary", [False, True], ids=["JSON", "binary"])
def test_it_infers_from_texts_booleans_and_missing_numbers(
    infer: Asked, served: Callable[[str], Served], binary: bool
) -> None:
    expected = native(served("mixed"), [[None, "Genève", True], [22.5, "Bern", False]])
    inputs = [
        ["member", "BOOL", [True, False]], ["city", "BYTES", ["Genève", "Bern"]], ["age", "FP32", [MISSING, 22.5]]
    ]  # fmt: skip
    assert infer("mixed", inputs, outputs=["predict"], binary=binary)["outputs"] == {
        "predict": ["b", expected["predictions"]]
    }


@pytest.mark.parametrize("binary", [False, True], ids=["JSON", "binary"])
def test_it_infers_a_number_from_whole_numbers_packed_by_gzip(
    infer: Asked, served: Callable[[str], Served], binary: bool
) -> None:
    rows = [[2, 1]] * 200  # so that the answer is worth packing
    expected = native(served("price"), rows)["predictions"]
    found = infer("price", [["any", "INT16", rows]], binary=binary, compression="gzip")
    assert found == {"id": "", "model": ["price", VERSION], "outputs": {"predict": ["f", expected]}}


@pytest.mark.parametrize(
    ("inputs", "options", "status", "message"),
    [
        (TOGETHER, {"version": "1"}, "404", f"'iris' is served in version {VERSION!r}, not '1'"),
        (TOGETHER, {"outputs": ["transform"]}, "400",
         "the model has no output 'transform'; there is predict, probabilities"),
        ([["sepal_length", "BYTES", ["5.1", "6.3"]], *APART[:-1]], {}, "400",
         "the tensors do not fit the model: tensor 'sepal_length' is BYTES, expected FP64, or another FP, INT or UINT"),
        ([["all", "FP64", [[5.1, MISSING, 1.4, 0.2]]]], {}, "400",
         "1 of 1 row cannot be scored: tensor 'all', row 0, column 'sepal_width': found \"NaN\", "
         "expected a finite number"),
    ],
)  # fmt: skip
def test_it_raises_the_protocols_error_with_its_status(
    infer: Asked, inputs: Any, options: dict[str, Any], status: str, message: str
) -> None:
    assert infer("iris", inputs, **options) == {"status": status, "message": message}
