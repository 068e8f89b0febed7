"""The Open Inference Protocol under /v2, on real pipelines: whole answers."""

import json
import struct
import tomllib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions import loader
from functions.errors import ModelError
from functions.inference.model import ServedModel
from functions.messages import Request
from functions.protocols import routes
from functions.registry.memory import MemoryStore
from functions.signature import Feature, Signature
from tests.asking import MODELS, Fixed, answered, ask
from tests.conftest import PROJECT
from tests.models import IRIS, VERSION, publish_model

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 6.0, 2.5]]
UNFIT = "the tensors do not fit the model: "
HINT = 'send {"inputs": [{"name": ..., "shape": [...], "datatype": ..., "data": [...]}, ...]}'
NUMBER = "FP64, or another FP, INT or UINT"
ORDER = "sepal_length, sepal_width, petal_length, petal_width"
KNOWN = "BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FP16, FP32, FP64, BYTES"


def tensor(name: str, shape: list[Any], datatype: str, data: list[Any]) -> dict[str, Any]:
    return {"name": name, "shape": shape, "datatype": datatype, "data": data}


def whole(rows: list[list[float]] = ROWS, datatype: str = "FP64") -> dict[str, Any]:
    return tensor("input-0", [len(rows), 4], datatype, [value for row in rows for value in row])


def infer(inputs: Any, model: str = "iris", **beside: Any) -> tuple[int, dict[str, Any]]:
    status, answer, headers = ask({"inputs": inputs, **beside}, model, path=f"/v2/models/{model}/infer")
    assert headers["content-type"] == "application/json"
    return status, answer


def refused(inputs: Any, model: str = "iris", **beside: Any) -> str:
    status, answer = infer(inputs, model, **beside)
    assert (status, list(answer)) == (400, ["error"])
    return str(answer["error"])


def native(rows: list[list[Any]], model: str = "iris") -> tuple[list[Any], list[float]]:
    """Predictions, and probabilities in row-major order."""
    status, answer, _ = ask({"instances": rows}, model)
    assert status == 200
    return answer["predictions"], [chance for row in answer.get("probabilities", []) for chance in row.values()]


def expected(
    rows: list[list[Any]], model: str = "iris", datatype: str = "BYTES", classes: int = 3, **beside: Any
) -> dict[str, Any]:
    labels, chances = native(rows, model)
    outputs = [tensor("predict", [len(rows)], datatype, labels)]
    if classes:
        outputs.append(tensor("probabilities", [len(rows), classes], "FP64", chances))
    return {"model_name": model, "model_version": VERSION, **beside, "outputs": outputs}


def get(path: str, model: str = "iris") -> tuple[int, dict[str, Any]]:
    return ask(b"", model, method="GET", path=path)[:2]


def test_the_server_names_itself_and_is_live_and_ready() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    assert get("/v2") == (200, {"name": project["name"], "version": project["version"], "extensions": []})
    assert get("/v2/health/live") == (200, {"live": True})
    assert get("/v2/health/ready") == (200, {"live": True, "ready": True})


def test_a_model_is_ready_by_its_name_and_by_its_version() -> None:
    for path in ("/v2/models/iris/ready", f"/v2/models/iris/versions/{VERSION}/ready", "/v2/models/iris/ready/"):
        assert get(path) == (200, {"name": "iris", "ready": True})


def test_a_models_metadata_is_its_signature() -> None:
    numbers = [{"name": name, "datatype": "FP64", "shape": [-1]} for name in IRIS]
    classes = [
        {"name": "predict", "datatype": "BYTES", "shape": [-1]},
        {"name": "probabilities", "datatype": "FP64", "shape": [-1, 3]},
    ]
    iris = {"name": "iris", "versions": [VERSION], "platform": "sklearn_joblib", "inputs": numbers, "outputs": classes}
    assert get("/v2/models/iris") == (200, iris)
    assert get(f"/v2/models/iris/versions/{VERSION}") == (200, iris)
    assert get("/v2/models/mixed", "mixed")[1]["inputs"] == [
        {"name": "age", "datatype": "FP64", "shape": [-1]},
        {"name": "city", "datatype": "BYTES", "shape": [-1]},
        {"name": "member", "datatype": "BOOL", "shape": [-1]},
    ]
    assert get("/v2/models/mixed", "mixed")[1]["outputs"][0] == {"name": "predict", "datatype": "BOOL", "shape": [-1]}
    assert get("/v2/models/price", "price")[1]["outputs"] == [{"name": "predict", "datatype": "FP64", "shape": [-1]}]


@pytest.mark.parametrize(
    "inputs",
    [
        [whole()],
        [tensor("input-0", [2, 4], "FP64", ROWS)],
        [tensor("input-0", [2.0, 4.0], "FP64", ROWS)],
        [tensor("sepal_length", [2, 4], "FP64", ROWS)],
        [tensor(name, [2], "FP64", [row[at] for row in ROWS]) for at, name in enumerate(IRIS)],
        [tensor(name, [2, 1], "FP64", [row[at] for row in ROWS]) for at, name in enumerate(IRIS)][::-1],
        [tensor(name, [2, 1], "FP64", [[row[at]] for row in ROWS]) for at, name in enumerate(IRIS)],
        [tensor(f" {name} ", [2], "FP32", [row[at] for row in ROWS]) for at, name in enumerate(IRIS)],
    ],
    ids=[
        "flat",
        "nested",
        "3.0 is whole",
        "a feature's name",
        "by name",
        "another order",
        "nested columns",
        "spaces around names",
    ],
)
def test_one_tensor_for_all_and_one_per_feature_are_the_same_rows(inputs: list[dict[str, Any]]) -> None:
    assert infer(inputs) == (200, expected(ROWS))


@pytest.mark.parametrize("datatype", ["INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64",
                                      "FP16", "FP32", "FP64"])  # fmt: skip
def test_every_datatype_of_numbers_is_read(datatype: str) -> None:
    rows: list[list[float]] = [[5, 3, 1, 0], [6, 3, 6.0, 2]]
    assert infer([whole(rows, datatype)]) == (200, expected(rows))


def test_texts_booleans_and_missing_values_come_in_tensors_of_their_own() -> None:
    rows: list[list[Any]] = [[22.0, "Bern", False], [None, "Genf", True], [None, None, None], [30.0, "", True]]
    body = (
        b'{"inputs": [{"name": "age", "shape": [4], "datatype": "FP32", "data": [22.0, NaN, null, 3e1]},'
        b'{"name": "member", "shape": [4, 1], "datatype": "BOOL", "data": [false, true, null, true]},'
        b'{"name": "city", "shape": [4], "datatype": "BYTES", "data": ["Bern", "Genf", null, ""]}]}'
    )
    assert ask(body, "mixed", path="/v2/models/mixed/infer")[:2] == (200, expected(rows, "mixed", "BOOL", 2))


def test_whole_numbers_may_be_missing_by_null() -> None:
    inputs = [
        tensor("age", [1], "INT16", [None]),
        tensor("city", [1], "BYTES", ["Bern"]),
        tensor("member", [1], "BOOL", [True]),
    ]
    assert infer(inputs, "mixed") == (200, expected([[None, "Bern", True]], "mixed", "BOOL", 2))


def test_a_regression_answers_one_tensor_of_numbers() -> None:
    assert infer([tensor("x", [1, 2], "FP64", [2.5, 1.5])], "price") == (
        200, expected([[2.5, 1.5]], "price", "FP64", 0)
    )  # fmt: skip


def test_whole_numbers_as_classes_are_int64_and_a_model_of_one_feature_takes_a_flat_tensor() -> None:
    model = Fixed(one_feature())
    for one in (
        tensor("any", [2], "FP64", [1.0, 6.0]),
        tensor("width", [2, 1], "FP64", [1.0, 6.0]),
        tensor("any", [2, 1], "INT8", [[1], [6]]),
    ):
        body = json.dumps({"inputs": [one]}).encode()
        answer = routes.respond(Request("POST", "/v2/models/sizes/infer", {}, body), model)
        assert json.loads(answer.body)["outputs"][0] == tensor("predict", [2], "INT64", [0, 2])


def one_feature() -> ServedModel:
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    data = load_iris()
    signature = Signature(
        "classification", [Feature("width", "float64", False, None, 1.0, 6.9, 3.7, 1.7)], "size", [0, 1, 2]
    )
    store = MemoryStore()
    publish_model(
        store, LogisticRegression().fit(data.data[:, [2]], data.target), signature, [[1.4], [6.0]], name="sizes"
    )
    return loader.load(store, loader.Reference("sizes"))


def test_a_model_without_probabilities_offers_and_answers_none() -> None:
    from sklearn.svm import LinearSVC

    signature = Signature("classification", [Feature(name, "float64", False) for name in IRIS], "kind", [0, 1])
    store = MemoryStore()
    publish_model(store, LinearSVC().fit([*ROWS, *ROWS], [0, 1, 0, 1]), signature, [[*ROWS[0]]], name="kinds")
    model = Fixed(loader.load(store, loader.Reference("kinds")))

    def told(method: str, path: str, body: Any = None) -> Any:
        try:
            answer = routes.respond(request := Request(method, path, {}, json.dumps(body).encode()), model)
        except Exception as error:
            answer = routes.refuse(error, request)
        return json.loads(answer.body)

    predict = tensor("predict", [2], "INT64", [0, 1])
    assert told("GET", "/v2/models/kinds")["outputs"] == [{"name": "predict", "datatype": "INT64", "shape": [-1]}]
    assert told("POST", "/v2/models/kinds/infer", {"inputs": [whole()]})["outputs"] == [predict]
    asked = {"inputs": [whole()], "outputs": [{"name": "probabilities"}]}
    message = "the model has no output 'probabilities'; there is predict"
    assert told("POST", "/v2/models/kinds/infer", asked) == {"error": message}


def test_the_rows_of_an_answer_are_counted_for_the_log_and_the_limit() -> None:
    assert answered({"inputs": [whole()]}, path="/v2/models/iris/infer").rows == len(ROWS)


def test_no_rows_give_empty_tensors() -> None:
    assert infer([tensor("all", [0, 4], "FP64", [])]) == (200, expected([]))
    assert infer([tensor(name, [0], "FP64", []) for name in IRIS]) == (200, expected([]))


def test_the_id_is_sent_back_and_parameters_and_unknown_keys_change_nothing() -> None:
    beside: dict[str, Any] = {"outputs": [], "parameters": {"priority": 1}, "model_name": "iris", "id": "42"}
    assert infer([whole() | {"parameters": {"content_type": "np"}}], **beside) == (
        200,
        expected(ROWS, id="42"),
    )
    assert infer([whole() | {"parameters": None}], id=None, outputs=None, parameters=None) == (200, expected(ROWS))


def test_outputs_come_as_they_are_asked_for_also_by_mlservers_name() -> None:
    labels, chances = native(ROWS)
    predict = tensor("predict", [2], "BYTES", labels)
    for name in ("probabilities", "predict_proba"):
        asked = [{"name": name, "parameters": {"binary_data": False}}, {"name": "predict"}]
        outputs = infer([whole()], outputs=asked)[1]["outputs"]
        assert outputs == [tensor(name, [2, 3], "FP64", chances), predict]
    assert infer([whole()], outputs=[{"name": "predict"}])[1]["outputs"] == [predict]


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        ({}, '"outputs" is not a list of objects; send [{"name": "predict"}], or leave it out'),
        (["predict"], '"outputs" is not a list of objects; send [{"name": "predict"}], or leave it out'),
        ([{}], "outputs[0] has no name; there is predict, probabilities"),
        ([{"name": "transform"}], "the model has no output 'transform'; there is predict, probabilities"),
        ([{"name": "predict"}, {"name": "predict"}], "the output 'predict' is asked for twice"),
        ([{"name": "predict", "parameters": []}], '"parameters" is not an object'),
    ],
)
def test_outputs_the_model_does_not_have_are_refused(outputs: Any, message: str) -> None:
    assert refused([whole()], outputs=outputs) == message


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([{"shape": [1]}], "inputs[0] has no name"),
        ([tensor("x", [2, 4], "fp64", [1] * 8)], f"tensor 'x' has the datatype 'fp64', expected one of {KNOWN}"),
        ([tensor("x", [2, 4], "BF16", [1] * 8), {"name": 5}],
         f"tensor 'x' has the datatype 'BF16', expected one of {KNOWN}; inputs[1] has no name"),
        ([tensor("x", [1, 2, 4], "FP64", [1] * 8)],
         "tensor 'x' has the shape [1, 2, 4], expected one or two whole numbers from 0"),
        ([tensor("x", [-1, 4], "FP64", [])],
         "tensor 'x' has the shape [-1, 4], expected one or two whole numbers from 0"),
        ([tensor("x", [True, 4], "FP64", [1] * 4)],
         "tensor 'x' has the shape [True, 4], expected one or two whole numbers from 0"),
        ([tensor("x", [10**300, 10**300], "FP64", [])],
         f"tensor 'x' has the shape [{'1' + '0' * 77}…, expected one or two whole numbers from 0"),
        ([{"name": "x", "shape": [1, 4], "datatype": "FP64"}], "tensor 'x' has no list of data"),
        ([tensor("x", [2, 4], "FP64", [1] * 7)], "tensor 'x' of shape [2, 4] has 7 of 8 elements"),
        ([tensor("x", [3, 4], "FP64", ROWS)], "tensor 'x' of shape [3, 4] has data of 2 rows"),
        ([tensor("x", [2, 4], "FP64", [ROWS[0], [1, 2, 3]])],
         "tensor 'x' of shape [2, 4] has 3 elements in row 1 of its data"),
        ([tensor("x", [2, 4], "FP64", [ROWS[0], 1])], "tensor 'x' of shape [2, 4] has no list in row 1 of its data"),
        ([tensor("x", [2, 3], "FP64", [1] * 6)],
         f"tensor 'x' has the shape [2, 3], expected [n, 4] for {ORDER}; or send one tensor per feature, by its name"),
        ([tensor("x", [4], "FP64", [1] * 4)],
         f"tensor 'x' has the shape [4], expected [n, 4] for {ORDER}; or send one tensor per feature, by its name"),
        ([tensor("x", [1, 4], "BOOL", [True] * 4)],
         "tensor 'x' is BOOL, which cannot hold 'sepal_length' (FP64), 'sepal_width' (FP64), 'petal_length' (FP64), "
         "'petal_width' (FP64); send one tensor per feature"),
        ([], "; ".join(f"tensor {name!r} is missing, expected {NUMBER}" for name in IRIS)),
        ([tensor("sepal_length", [2], "FP64", [1, 2]), tensor("sepal_width", [3, 1], "FP64", [1, 2, 3]),
          tensor("petal_length", [2], "BYTES", ["1", "2"]), tensor("petal_length", [2], "FP64", [1, 2]),
          tensor("petal_wdth", [2], "FP64", [1, 2])],
         "tensor 'sepal_width' has 3 rows, those before have 2; tensor 'petal_length' is there twice; "
         f"tensor 'petal_wdth' is no feature, expected one of {ORDER}; tensor 'petal_length' is BYTES, "
         f"expected {NUMBER}; tensor 'petal_width' is missing, expected {NUMBER}"),
        ([tensor(name, [1, 2], "FP64", [1, 2]) for name in IRIS],
         "; ".join(f"tensor {name!r} has the shape [1, 2], expected [n] or [n, 1]" for name in IRIS)),
        ([{"name": "x"}] * 20, "; ".join(
            [f"tensor 'x' has the datatype None, expected one of {KNOWN}",
             "tensor 'x' has the shape None, expected one or two whole numbers from 0"] * 5)),
    ],
)  # fmt: skip
def test_tensors_that_are_not_the_models_are_named_with_what_was_expected(inputs: Any, message: str) -> None:
    assert refused(inputs) == UNFIT + message


def test_one_tensor_cannot_hold_numbers_texts_and_booleans_at_once() -> None:
    assert refused([tensor("all", [1, 3], "FP64", [1, 2, 3])], "mixed") == (
        UNFIT + "tensor 'all' is FP64, which cannot hold 'city' (BYTES), 'member' (BOOL); send one tensor per feature"
    )


@pytest.mark.parametrize(
    ("datatype", "literal", "found", "wanted"),
    [
        ("INT8", "128", "128", "a whole number from -128 to 127"),
        ("INT16", "-32769", "-32769", "a whole number from -32768 to 32767"),
        ("UINT8", "-1", "-1", "a whole number from 0 to 255"),
        ("UINT64", "18446744073709551616", '"18446744073709551616"', "a whole number from 0 to 18446744073709551615"),
        ("INT32", "1.5", "1.5", "a whole number from -2147483648 to 2147483647"),
        ("INT32", "NaN", '"NaN"', "a whole number from -2147483648 to 2147483647"),
        ("FP16", "65520", "65520", "a number that FP16 can hold"),
        ("FP32", "-3.5e38", "-3.5e38", "a number that FP32 can hold"),
        ("FP64", "NaN", '"NaN"', "a finite number"),
        ("FP32", "-Infinity", '"-Infinity"', "a finite number"),
        ("FP64", "1e400", '"Infinity"', "a finite number"),
        ("INT64", "9007199254740993", '"9007199254740993"', "a whole number that float64 can hold exactly"),
        ("FP64", "9007199254740993", '"9007199254740993"', "a whole number that float64 can hold exactly"),
        ("UINT64", "18446744073709551615", '"18446744073709551615"', "a whole number that float64 can hold exactly"),
        ("FP64", '"5.1"', '"5.1"', "a number"),
        ("FP64", "true", "true", "a number"),
        ("INT8", "true", "true", "a number"),
        ("FP64", "null", "null", "a number"),
        ("FP64", '{"a": 1}', '"an object"', "a number"),
    ],
)  # fmt: skip
def test_an_element_that_is_not_of_its_datatype_or_feature_is_named(
    datatype: str, literal: str, found: str, wanted: str
) -> None:
    body = '{"inputs": [{"name": "x", "shape": [2, 4], "datatype": "%s", "data": [5, 3, 1, 0, 5, 3, %s, 0]}]}'
    status, answer, _ = ask((body % (datatype, literal)).encode(), path="/v2/models/iris/infer")
    place = "tensor 'x', row 1, column 'petal_length'"
    told = f"1 of 2 rows cannot be scored: {place}: found {found}, expected {wanted}"
    assert (status, answer) == (400, {"error": told})


def test_the_largest_numbers_of_a_datatype_are_read_as_clients_print_them() -> None:
    for datatype, most in (("FP16", 65504), ("FP32", 3.4028235e38), ("UINT64", 2**63), ("INT8", -128)):
        inputs = [tensor("x", [1], datatype, [most]), tensor("y", [1], "FP64", [0])]
        assert infer(inputs, "price") == (200, expected([[most, 0]], "price", "FP64", 0))


def test_bad_elements_of_several_tensors_are_told_in_the_order_of_the_rows_up_to_ten() -> None:
    inputs = [
        tensor("member", [3], "BOOL", [True, 1, "no"]),
        tensor("city", [3], "BYTES", [5, "Bern", "Genf"]),
        tensor("age", [3], "FP64", [1, 2, "old"]),
    ]
    assert refused(inputs, "mixed") == (
        "3 of 3 rows cannot be scored: tensor 'city', row 0: found 5, expected a text or null; "
        "tensor 'member', row 1: found 1, expected true or false or null; "
        "tensor 'age', row 2: found \"old\", expected a number or null; "
        "tensor 'member', row 2: found \"no\", expected true or false or null"
    )
    message = refused([tensor("x", [50, 4], "FP64", [None] * 200)])
    assert message.startswith("at least 3 of 50 rows cannot be scored: tensor 'x', row 0, column 'sepal_length': found")
    assert message.count("; ") == 9
    assert message.endswith("tensor 'x', row 2, column 'sepal_width': found null, expected a number")
    apart = [tensor(name, [50], "FP64", [None if name == "petal_width" else 1] * 50) for name in IRIS]
    message = refused(apart)
    assert message.startswith("at least 10 of 50 rows cannot be scored: tensor 'petal_width', row 0: found null")
    assert message.endswith("tensor 'petal_width', row 9: found null, expected a number")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", f"the body is empty; {HINT}"),
        (b"[]", f"the body is not an object; {HINT}"),
        (b"{}", f'the body has no "inputs"; {HINT}'),
        (b'{"inputs": {}}', f'"inputs" is not a list of objects; {HINT}'),
        (b'{"inputs": [[1, 2, 3, 4]]}', f'"inputs" is not a list of objects; {HINT}'),
        (b'{"inputs": [], "id": 42}', '"id" is not a text'),
        (b'{"inputs": [], "parameters": []}', '"parameters" is not an object'),
        (b'{"inputs": [{"parameters": 1}]}', '"parameters" is not an object'),
        (b'{"inputs": [], "inputs": []}', "the body repeats the key 'inputs' in one object; give each key once"),
        (b'{"inputs": [', "the body is not JSON: Expecting value, line 1, column 13"),
    ],
)
def test_a_malformed_request_is_refused_by_the_protocols_error(body: bytes, message: str) -> None:
    assert ask(body, path="/v2/models/iris/infer")[:2] == (400, {"error": message})


def test_another_model_or_version_is_404_and_says_what_there_is() -> None:
    model, version = (
        "there is no model 'irises' here; there is 'iris'",
        f"'iris' is served in version {VERSION!r}, not '1'",
    )
    for ending, method in (("", "GET"), ("/ready", "GET"), ("/infer", "POST")):
        for path, message in (("/v2/models/irises", model), ("/v2/models/iris/versions/1", version)):
            assert ask({"inputs": [whole()]}, method=method, path=path + ending)[:2] == (404, {"error": message})


@pytest.mark.parametrize(
    "path", ["/v2/models", "/v2/models/iris/versions", "/v2/models/iris/config", "/v2/health", "/v2/repository/index"]
)
def test_other_paths_are_404_by_the_protocols_error(path: str) -> None:
    assert get(path) == (404, {"error": f"there is nothing at {path}; there is {routes.THERE_IS}"})


def test_methods_content_types_and_accept_are_as_elsewhere_with_the_protocols_error() -> None:
    path = "/v2/models/iris/infer"
    status, answer, headers = ask(b"", method="GET", path=path)
    assert (status, answer, headers["allow"]) == (
        405,
        {"error": f"{path} takes POST, OPTIONS, not GET"},
        "POST, OPTIONS",
    )
    assert ask({}, path=path, content_type="text/csv")[:2] == (
        415, {"error": "the body is text/csv; send application/json"}
    )  # fmt: skip
    for asked, method in ((path, "POST"), ("/v2", "GET"), ("/v2/health/live", "GET"), ("/v2/models/iris", "GET")):
        assert ask({"inputs": [whole()]}, method=method, path=asked, accept="text/html")[:2] == (
            406, {"error": "the answer is application/json; the request accepts only text/html"}
        )  # fmt: skip
    head = answered(b"", method="HEAD", path="/v2/health/ready")
    assert (head.status, head.body) == (200, b"")


def test_without_a_model_it_is_live_and_not_ready() -> None:
    class Empty:
        def get(self) -> ServedModel:
            raise ModelError("the bucket cannot be read", [{"model": "iris", "alias": "live"}])

        def status(self) -> dict[str, Any]:
            return {}

    told = {"error": "no model can be served now; the function's log says why: model iris, alias live"}
    for method, path in (
        ("GET", "/v2/health/ready"), ("GET", "/v2/models/iris/ready"), ("GET", "/v2/models/iris"),
        ("POST", "/v2/models/iris/infer"),
    ):  # fmt: skip
        request = Request(method, path, {}, b"{}")
        with pytest.raises(ModelError) as raised:
            routes.respond(request, Empty())
        answer = routes.refuse(raised.value, request)
        assert (answer.status, json.loads(answer.body), answer.headers["retry-after"]) == (503, told, "5")
    for path in ("/v2", "/v2/health/live"):
        assert routes.respond(Request("GET", path, {}, b""), Empty()).status == 200
    defect = routes.refuse(ValueError("secret"), Request("GET", "/v2", {}, b""))
    assert (defect.status, json.loads(defect.body)) == (500, {"error": "the function failed; its log says why"})


def packed(inputs: list[tuple[dict[str, Any], bytes]], behind: bytes = b"") -> tuple[bytes, str]:
    """The binary data extension's body and header."""
    told = [given | {"parameters": {"binary_data_size": len(data)}} for given, data in inputs]
    text = json.dumps({"inputs": told}).encode()
    return text + b"".join(data for _, data in inputs) + behind, str(len(text))


def by_bytes(body: bytes, length: str, model: str = "iris") -> tuple[int, dict[str, Any]]:
    path, media = f"/v2/models/{model}/infer", "application/octet-stream"
    return ask(body, model, path=path, content_type=media, inference_header_content_length=length)[:2]


@pytest.mark.parametrize(
    ("datatype", "dtype"),
    [("INT8", "<i1"), ("INT16", "<i2"), ("INT32", "<i4"), ("INT64", "<i8"), ("UINT8", "<u1"), ("UINT16", "<u2"),
     ("UINT32", "<u4"), ("UINT64", "<u8"), ("FP16", "<f2"), ("FP32", "<f4"), ("FP64", "<f8")],
)  # fmt: skip
def test_tensors_of_numbers_may_follow_the_json_as_bytes(datatype: str, dtype: str) -> None:
    rows = np.array([[5, 3, 1, 0], [6, 3, 6, 2]], dtype=dtype)
    given = {"name": "all", "shape": [2, 4], "datatype": datatype}
    assert by_bytes(*packed([(given, rows.tobytes())])) == (200, expected(rows.tolist()))


def test_texts_booleans_and_missing_numbers_may_follow_the_json_as_bytes() -> None:
    texts = b"".join(struct.pack("<I", len(text)) + text for text in ("Genève".encode(), b""))
    inputs = [
        ({"name": "city", "shape": [2], "datatype": "BYTES"}, texts),
        ({"name": "member", "shape": [2], "datatype": "BOOL"}, b"\x01\x00"),
        ({"name": "age", "shape": [2, 1], "datatype": "FP32"}, struct.pack("<2f", 22.5, float("nan"))),
    ]
    rows: list[list[Any]] = [[22.5, "Genève", True], [None, "", False]]
    assert by_bytes(*packed(inputs), "mixed") == (200, expected(rows, "mixed", "BOOL", 2))


SIZED = {"name": "x", "shape": [1, 4], "datatype": "FP64"}


@pytest.mark.parametrize(
    ("body", "length", "message"),
    [
        (b"{}", "3", "inference-header-content-length is '3', expected a number of bytes up to the body's 2"),
        (b"{}", "-1", "inference-header-content-length is '-1', expected a number of bytes up to the body's 2"),
        (*packed([(SIZED, bytes(31))]), "tensor 'x' has 31 bytes, which are no whole number of FP64"),
        (*packed([(SIZED, bytes(24))]), UNFIT + "tensor 'x' of shape [1, 4] has 3 of 4 elements"),
        (*packed([(SIZED, bytes(32))], behind=b"12"),
         "2 bytes follow the last tensor; send each with its binary_data_size"),
        (*packed([(SIZED | {"datatype": "BF16"}, bytes(8))]),
         UNFIT + f"tensor 'x' has the datatype 'BF16', expected one of {KNOWN}"),
        (*packed([(SIZED | {"data": [1]}, bytes(8))]),
         "tensor 'x' has both data and binary_data_size; send one of them"),
        (*packed([(SIZED | {"datatype": "BYTES"}, b"\x05\x00\x00\x00abc")]),
         "tensor 'x' has bytes that end within element 0"),
        (*packed([(SIZED | {"datatype": "BYTES"}, b"\x00\x00\x00\x00\x05\x00")]),
         "tensor 'x' has bytes that end within element 1"),
        (*packed([(SIZED | {"datatype": "BYTES"}, b"\x01\x00\x00\x00\xff")]),
         "tensor 'x' has an element 0 that is not UTF-8"),
    ],
)  # fmt: skip
def test_bytes_that_are_no_tensors_are_refused(body: bytes, length: str, message: str) -> None:
    assert by_bytes(body, length) == (400, {"error": message})


def test_a_size_beyond_the_bytes_and_a_size_without_bytes_are_refused() -> None:
    text = json.dumps({"inputs": [SIZED | {"parameters": {"binary_data_size": 32}}]}).encode()
    message = "tensor 'x' has the binary_data_size 32, expected a number up to the 1 bytes left"
    assert by_bytes(text + b"1", str(len(text))) == (400, {"error": message})
    assert ask(text, path="/v2/models/iris/infer")[:2] == (400, {"error": UNFIT + "tensor 'x' has no list of data"})


NUMBERS = st.floats(-1e6, 1e6)


@settings(deadline=None)  # a busy machine is no defect
@given(st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=5), st.permutations(IRIS), st.booleans())
def test_the_same_rows_give_the_same_answer_as_the_native_protocol_by_either_form(
    tuples: list[tuple[float, ...]], order: list[str], nested: bool
) -> None:
    rows = [list(row) for row in tuples]
    answer = (200, expected(rows))
    together = rows if nested else [value for row in rows for value in row]
    assert infer([tensor("all", [len(rows), 4], "FP64", together)]) == answer
    columns = {name: [[row[at]] if nested else row[at] for row in rows] for at, name in enumerate(IRIS)}
    assert infer([tensor(name, [len(rows), 1], "FP64", columns[name]) for name in order]) == answer
    data = np.array(rows, dtype="<f8").tobytes()
    given = {"name": "all", "shape": [len(rows), 4], "datatype": "FP64"}
    assert by_bytes(*packed([(given, data)])) == answer


CELLS = st.tuples(
    st.none() | NUMBERS, st.none() | st.text(st.characters(codec="utf-8"), max_size=5), st.none() | st.booleans()
)


@settings(deadline=None)  # a busy machine is no defect
@given(st.lists(CELLS, min_size=1, max_size=5))
def test_rows_of_several_types_with_missing_values_give_the_same_answer_as_the_native_protocol(
    tuples: list[tuple[float | None, str | None, bool | None]],
) -> None:
    rows = [list(row) for row in tuples]
    ages, cities, members = (list(column) for column in zip(*tuples, strict=True))
    inputs = [
        tensor("member", [len(rows)], "BOOL", members),
        tensor("age", [len(rows), 1], "FP64", [float("nan") if age is None else age for age in ages]),
        tensor("city", [len(rows)], "BYTES", cities),
    ]
    assert infer(inputs, "mixed") == (200, expected(rows, "mixed", "BOOL", 2))


TEXTS = st.text(st.characters(), max_size=5)  # surrogates too: JSON can spell half of a pair
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(0, 8) | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=10,
)
TENSORS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([*IRIS, "all"]) | VALUES,
        "shape": st.sampled_from([[1, 4], [4], [2, 4], [1], [1, 1]]) | VALUES,
        "datatype": st.sampled_from(KNOWN.split(", ")) | VALUES,
        "data": st.lists(VALUES, min_size=4, max_size=4) | st.lists(st.floats(), min_size=4, max_size=4) | VALUES,
        "parameters": st.fixed_dictionaries({"binary_data_size": VALUES}) | VALUES,
    },
)
BODIES = VALUES | st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=5) | VALUES},
    optional={
        "id": VALUES,
        "parameters": VALUES,
        "outputs": st.lists(st.fixed_dictionaries({"name": st.just("predict") | VALUES}), max_size=2) | VALUES,
    },
)


@settings(deadline=None)  # a busy machine is no defect
@given(BODIES, st.sampled_from(list(MODELS)))
def test_any_json_body_is_predicted_or_refused_as_the_clients_mistake(body: Any, model: str) -> None:
    status, answer, _ = ask(body, model, path=f"/v2/models/{model}/infer")
    assert status in (200, 400)
    assert list(answer) == ["error"] if status == 400 else {"model_name", "model_version", "outputs"} <= set(answer)


@settings(deadline=None)  # a busy machine is no defect
@given(BODIES, st.binary(max_size=40), st.integers(-40, 40))
def test_any_json_with_any_bytes_behind_is_predicted_or_refused_as_the_clients_mistake(
    body: Any, behind: bytes, off: int
) -> None:
    text = json.dumps(body).encode()
    assert by_bytes(text + behind, str(len(text)))[0] in (200, 400)
    assert by_bytes(text + behind, str(len(text) + off))[0] in (200, 400)


@settings(deadline=None)  # a busy machine is no defect
@given(st.binary())
def test_any_bytes_are_predicted_or_refused_as_the_clients_mistake(body: bytes) -> None:
    assert ask(body, path="/v2/models/iris/infer")[0] in (200, 400)
