"""`/openapi.json`, `/schema` and `/docs`: what they say is what the routes do."""

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from functions.inference.model import ServedModel
from functions.protocols import docs_page, json_schema, native, openapi, routes
from functions.signature import Feature, Signature
from tests.asking import MODELS, answered, ask, loaded
from tests.models import VERSION


def document(model: str = "iris") -> dict[str, Any]:
    status, answer, headers = ask(b"", model, "GET", "/openapi.json")
    assert (status, headers) == (200, {"content-type": "application/json"})
    return answer


def test_schema_tells_names_types_ranges_and_examples_of_a_row() -> None:
    status, answer, headers = ask(b"", "price", "GET", "/schema")
    assert (status, headers) == (200, {"content-type": "application/schema+json"})
    x = {
        "type": "number", "description": "Training saw 0 to 3.", "examples": [1.5],
        "x-training": {"minimum": 0.0, "maximum": 3.0, "mean": 1.5, "std": 1.118},
    }  # fmt: skip
    y = {
        "type": "number", "description": "Training saw 0 to 2.", "examples": [1.0],
        "x-training": {"minimum": 0.0, "maximum": 2.0, "mean": 1.0, "std": 0.707},
    }  # fmt: skip
    assert answer == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"One row for the model price, version {VERSION}",
        "anyOf": [{"$ref": "#/$defs/object"}, {"$ref": "#/$defs/list"}],
        "examples": [{"x": 3.0, "y": 2.0}, [1.5, 1.0]],
        "$defs": {
            "object": {
                "title": "A row as an object, in any order",
                "type": "object",
                "properties": {"x": x, "y": y},
                "required": ["x", "y"],
                "additionalProperties": False,
            },
            "list": {
                "title": "A row as a list: x, y",
                "type": "array",
                "prefixItems": [{"title": "x", **x}, {"title": "y", **y}],
                "minItems": 2,
                "maxItems": 2,
            },
        },
    }


def test_texts_booleans_and_missing_values_are_told_as_the_manifest_has_them() -> None:
    described = ask(b"", "mixed", "GET", "/schema")[1]["$defs"]["object"]["properties"]
    assert {name: feature["type"] for name, feature in described.items()} == {
        "age": ["number", "null"], "city": ["string", "null"], "member": ["boolean", "null"],
    }  # fmt: skip
    assert described["city"]["examples"] == ["Basel", "Bern", "Genf"]
    assert described["city"]["description"] == "Training saw Basel, Bern, Genf. May be missing: null."


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    "row",
    [
        [5.1, 3.5, 1.4, 0.2], [None, "Bern", True], [0, 1], [0, 1, 2], [0.5, "Bern", 1], ["5.1", 1, 1, 1], [True, 1],
        {"x": 1, "y": 2}, {"x": 1}, {"x": 1, "y": 2, "z": 3}, {"age": 1, "city": None, "member": False}, {}, [], 7, "x",
    ],
)  # fmt: skip
def test_the_schema_takes_a_row_where_predict_does(model: str, row: Any) -> None:
    schema = ask(b"", model, "GET", "/schema")[1]
    Draft202012Validator.check_schema(schema)
    fits = Draft202012Validator(schema).is_valid(row)
    assert (ask({"instances": [row]}, model)[0] == 200) is fits


def test_a_schema_is_there_for_whoever_takes_json_only() -> None:
    assert ask(b"", "iris", "GET", "/schema", accept="application/json")[2] == {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("path", "accept", "answer"),
    [
        ("/openapi.json", "text/html", "application/json"),
        ("/schema", "text/html", "application/json"),
        ("/docs", "application/json", "text/html"),
    ],
)
def test_whoever_accepts_something_else_gets_406(path: str, accept: str, answer: str) -> None:
    told = f"the answer is {answer}; the request accepts only {accept}"
    assert ask(b"", "iris", "GET", path, accept=accept)[:2] == (
        406, {"error": {"code": "not_acceptable", "message": told, "details": []}}
    )  # fmt: skip


def test_the_document_names_the_model_that_is_served() -> None:
    found = document()
    assert found["openapi"] == "3.1.1"
    assert (found["info"]["title"], found["info"]["version"]) == ("iris", VERSION)
    assert found["components"]["schemas"]["Prediction"] == {
        "enum": ["setosa", "versicolor", "virginica"], "title": "species"
    }  # fmt: skip
    assert document("price")["components"]["schemas"]["Prediction"] == {"type": "number", "title": "price"}
    assert "probabilities" not in document("price")["components"]["schemas"]["PredictAnswer"]["properties"]


def test_every_documented_path_is_there_with_these_methods_and_every_protocol_is_documented() -> None:
    paths = document()["paths"]
    for path, methods in paths.items():
        dialect = routes._dialect(path)
        actions = dialect.methods(path)
        assert actions is not None, path
        assert {method.upper() for method in methods} == {
            *actions, "OPTIONS", *(["HEAD"] if "GET" in actions else [])
        }, path  # fmt: skip
    firsts = {"/" + path.split("/")[1] for path in paths}
    assert firsts == {*native.ROUTES, *routes.OTHERS}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [
        operation["operationId"] for methods in document()["paths"].values() for method, operation in methods.items()
    ]
    assert len(names) == len(set(names))


def examples(model: str) -> list[tuple[str, str, str, Any]]:
    """Every example of a request in the document: path, method, media type, body."""
    found = []
    for path, methods in document(model)["paths"].items():
        for method, operation in methods.items():
            for media, told in operation.get("requestBody", {}).get("content", {}).items():
                bodies = [each["value"] for each in told.get("examples", {}).values()]
                found += [(path, method, media, body) for body in [*bodies, told.get("example")] if body is not None]
    return found


@pytest.mark.parametrize("model", MODELS)
def test_every_example_is_answered_as_the_document_says(model: str) -> None:
    schemas = document(model)["components"]["schemas"]
    tried = examples(model)
    assert len(tried) >= 8
    for path, method, media, body in tried:
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        answer = answered(raw, model, method.upper(), path, content_type=media)
        assert answer.status == 200, (path, media, answer.body)
        told = document(model)["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
        Draft202012Validator({**told, "components": {"schemas": schemas}}).validate(json.loads(answer.body))


def test_docs_is_a_page_that_holds_the_document_and_fetches_nothing() -> None:
    answer = answered(b"", "mixed", "GET", "/docs", accept="text/html,application/xhtml+xml")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    html = answer.body.decode()
    held = re.search(r'<script type="application/json" id="document">(.*?)</script>', html, re.DOTALL)
    assert held
    assert json.loads(held[1]) == document("mixed")
    without = html.replace(held[1], "")
    assert "://" not in without
    assert not re.search(r"<(link|img|iframe)|src=|@import|fetch\(|XMLHttpRequest", without)


def test_the_policy_of_docs_lets_its_own_script_and_style_run_and_nothing_else() -> None:
    headers = answered(b"", "iris", "GET", "/docs").headers
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == docs_page._digest(docs_page.SCRIPT)
    assert policy["style-src"] == docs_page._digest(docs_page.STYLE)


def odd_model() -> ServedModel:
    iris = loaded("iris")
    features = [
        Feature("</script><b>", "string", False, [f"<!-- {number}" for number in range(200)]),
        Feature("a b/c", "float64", True),
    ]
    signature = Signature("classification", features, "y", [1, 2])
    return ServedModel("odd", VERSION, signature, iris.schema, iris.engine, iris.public)


def test_no_name_or_category_can_end_the_pages_script() -> None:
    page = docs_page.page(openapi.document(odd_model())).decode()
    assert page.count("</script>") == 2
    assert "<!--" not in page


def test_of_very_many_categories_the_first_are_told_and_how_many_more_there_are() -> None:
    schema = json_schema.row_schema(odd_model())["$defs"]["object"]["properties"]["</script><b>"]
    assert len(schema["examples"]) == 100
    assert schema["description"].endswith("<!-- 99 and 100 more.")
