"""`/invocations` as MLflow's and SageMaker's clients use it: their forms in, their forms out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.asking import answered, ask

IRIS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 6.0, 2.5]]
LABELS = ["setosa", "virginica"]
JSON = "application/json"
RECORDS = [dict(zip(IRIS, row, strict=True)) for row in ROWS]
CSV = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n6.3,2.5,6.0,2.5\n"
SHUFFLED = "id,petal_width, sepal_length ,petal_length,sepal_width\r\na,0.2,5.1,1.4,3.5\r\n\r\nb,2.5,6.3,6.0,2.5"


def invoke(body: Any, media: str = JSON, model: str = "iris", accept: str = "*/*") -> tuple[int, Any]:
    raw = body.encode() if isinstance(body, str) else body
    status, answer, _ = ask(raw, model, path="/invocations", content_type=media, accept=accept)
    return status, answer


def refused(body: Any, media: str = JSON, model: str = "iris") -> str:
    status, answer = invoke(body, media, model)
    assert (status, answer["error_code"], set(answer)) == (400, "BAD_REQUEST", {"error_code", "message", "details"})
    return str(answer["message"])


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"index": [0, 1], "columns": IRIS, "data": ROWS}},
        {"dataframe_split": {"columns": [*IRIS[::-1], "id"], "data": [[*row[::-1], "x"] for row in ROWS]}},
        {"dataframe_split": {"data": ROWS}},
        {"dataframe_records": RECORDS},
        {"dataframe_records": [{**record, "id": None} for record in RECORDS]},
        {"instances": ROWS},
        {"instances": RECORDS},
        {"inputs": ROWS},
        {"inputs": {name: [row[index] for row in ROWS] for index, name in enumerate(IRIS)}},
        {"inputs": {name: [[row[index]] for row in ROWS] for index, name in enumerate(IRIS)}},
        {"instances": [[str(value) for value in row] for row in ROWS]},
        {"instances": ROWS, "params": {"temperature": 1}, "other": 1},
    ],
)
def test_each_of_mlflows_forms_is_the_same_request(body: Any) -> None:
    assert invoke(body) == (200, {"predictions": LABELS})


@pytest.mark.parametrize(
    ("media", "body"),
    [
        ("text/csv", CSV),
        ("text/csv; charset=UTF-8", SHUFFLED),
        ("text/csv; header=present", "\ufeff" + CSV),
        ("text/csv; header=absent", CSV.partition("\n")[2]),
        ("text/csv;header=absent", '"5.1",3.5,1.4, .2\n6.3,2.5,6e0,2.5'),
        ("application/jsonlines", "\n".join(map(json.dumps, ROWS))),
        ("application/jsonlines", "\n\n".join(map(json.dumps, RECORDS)) + "\n"),
        ("application/jsonlines", "\n".join(json.dumps({"features": row}) for row in ROWS)),
    ],
)
def test_tables_and_lines_are_the_same_request_too(media: str, body: str) -> None:
    assert invoke(body, media) == (200, {"predictions": LABELS})


@pytest.mark.parametrize(
    ("accept", "media", "body"),
    [
        ("", JSON, b'{"predictions":["setosa","virginica"]}'),
        ("application/json", JSON, b'{"predictions":["setosa","virginica"]}'),
        ("text/csv", "text/csv; charset=utf-8", b"setosa\nvirginica\n"),
        ("application/json;q=0, text/csv", "text/csv; charset=utf-8", b"setosa\nvirginica\n"),
    ],
)
def test_the_answer_is_what_the_client_accepts(accept: str, media: str, body: bytes) -> None:
    answer = answered({"instances": ROWS}, path="/invocations", content_type=JSON, accept=accept)
    assert (answer.status, answer.headers["content-type"], answer.body) == (200, media, body)


def test_lines_are_answered_as_sagemakers_algorithms_do() -> None:
    native = ask({"instances": ROWS})[1]
    answer = answered({"instances": ROWS}, path="/invocations", content_type=JSON, accept="application/jsonlines")
    assert [json.loads(line) for line in answer.body.splitlines()] == [
        {"predicted_label": label, "score": list(scores.values())}
        for label, scores in zip(native["predictions"], native["probabilities"], strict=True)
    ]
    price = answered(b"[1.0, 1.0]\n", "price", path="/invocations", content_type="application/jsonlines",
                     accept="application/jsonlines")  # fmt: skip
    assert json.loads(price.body) == {"score": ask({"instances": [[1.0, 1.0]]}, "price")[1]["predictions"][0]}


def test_values_are_read_as_mlflow_reads_them_where_nothing_is_lost() -> None:
    mixed = [[20, "Bern", True], [20, "7", False], [None, None, None]]
    native = ask({"instances": mixed}, "mixed")[1]["predictions"]
    assert invoke({"instances": [["20", "Bern", 1], [20, 7, 0], [None, None, None]]}, model="mixed")[1] == {
        "predictions": native
    }
    assert invoke("age,city,member\n20,Bern,true\n20,7,0\nNA,,\n", "text/csv", "mixed")[1] == {"predictions": native}
    assert invoke('{"instances": [[20, "Bern", 1], [20, 7, 0], [NaN, NaN, NaN]]}', model="mixed")[1] == {
        "predictions": native
    }
    assert invoke('{"instances": [[NaN, 1, 1, 1]]}')[1]["details"][0]["found"] is None
    assert invoke('{"instances": [[Infinity, 1, 1, 1]]}')[1]["details"][0]["found"] == "Infinity"
    true = ask({"instances": [[1.0, 0.0]]}, "price")[1]["predictions"]
    assert invoke({"instances": [[True, False]]}, model="price")[1] == {"predictions": true}


def test_what_would_be_a_wrong_value_is_refused_with_its_row_and_column() -> None:
    status, answer = invoke({"instances": [[20, "Bern", "false"], ["1_0", "Bern", 2]]}, model="mixed")
    assert (status, answer) == (
        400,
        {
            "error_code": "BAD_REQUEST",
            "message": "2 of 2 rows cannot be scored",
            "details": [
                {"row": 0, "column": "member", "found": "false", "expected": "true or false or null"},
                {"row": 1, "column": "age", "found": "1_0", "expected": "a number or null"},
                {"row": 1, "column": "member", "found": 2, "expected": "true or false or null"},
            ],
        },
    )
    _, answer = invoke(CSV + "5.1,,1.4,abc\n", "text/csv")
    assert answer["details"] == [
        {"row": 2, "column": "sepal_width", "found": None, "expected": "a number"},
        {"row": 2, "column": "petal_width", "found": "abc", "expected": "a number"},
    ]


FORMS = "send an object with exactly one of dataframe_split, dataframe_records, instances, inputs"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", f"the body is empty; {FORMS}"),
        ("[[1,2,3,4]]", f"the body is no object; {FORMS}"),
        ("{}", f"the body has none of them; {FORMS}"),
        ('{"columns": [], "data": []}', f"the body has none of them; {FORMS}"),
        ('{"instances": [], "inputs": []}', f"the body has instances and inputs; {FORMS}"),
        ('{"inputs": [], "inputs": []}', "the body repeats the key 'inputs' in one object; give each key once"),
        ('{"dataframe_split": []}', 'dataframe_split is to be {"columns": [...], "data": [[...], ...]}'),
        ('{"dataframe_split": {"columns": "a", "data": []}}', "dataframe_split's columns are to be a list of names"),
        ('{"dataframe_split": {"columns": ["a", "a"], "data": []}}', "dataframe_split names a column twice"),
        ('{"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}',
         "dataframe_split's row 0 is to be a list of 1 values"),
        ('{"dataframe_records": [[1]]}', "dataframe_records is to be a list of objects by feature name"),
        ('{"instances": 1}', "instances is to be a list of rows"),
        ('{"inputs": {}}', f"inputs lacks the columns {', '.join(map(repr, IRIS))}"),
        ('{"dataframe_split": {"columns": ["sepal_length"], "data": []}}',
         f"dataframe_split lacks the columns {', '.join(map(repr, IRIS[1:]))}"),
        ('{"inputs": {"a": [1], "b": [1, 2]}}', "the columns of inputs are of different lengths: a has 1, b has 2"),
    ],
)  # fmt: skip
def test_a_malformed_body_is_refused_in_mlflows_shape(body: str, message: str) -> None:
    assert refused(body) == message


@pytest.mark.parametrize(
    ("media", "body", "message"),
    [
        ("text/csv", "", "the body is empty; send a header and rows"),
        ("text/csv", b"\xff", "the body is not UTF-8: byte 0"),
        ("text/csv", "a,b\n1,2\n", "the header lacks 'sepal_length', 'sepal_width', 'petal_length', 'petal_width'; "
         "without a header send text/csv; header=absent"),
        ("text/csv", CSV.replace("\n", ",petal_width\n", 1), "the header names 'petal_width' more than once"),
        ("text/csv", CSV + "1,2\n", "row 2 has 2 cells where 4 are expected"),
        ("text/csv", CSV + '"1', "the body is not CSV: unexpected end of data"),
        ("text/csv; header=absent", "1,2,3\n", "row 0 has 3 cells where 4 are expected"),
        ("application/jsonlines", "[1]\n{", "line 2: the body is not JSON: Expecting property name enclosed in double "
         "quotes, line 1, column 2"),
        ("application/jsonlines", "7", 'line 1 is int; each line is a list, an object by feature name, or '
         '{"features": [...]}'),
    ],
)  # fmt: skip
def test_a_malformed_table_is_refused_with_its_place(media: str, body: Any, message: str) -> None:
    assert refused(body, media) == message


@pytest.mark.parametrize(
    ("media", "message"),
    [
        ("", "the body is of no type; send application/json, text/csv or application/jsonlines"),
        ("text/plain", "the body is text/plain; send application/json, text/csv or application/jsonlines"),
        ("application/json; charset=latin-1", "the body's charset=latin-1 is not read; send UTF-8"),
        (
            "application/json; format=pandas-split",
            "the content type 'application/json; format=pandas-split' is not read; use charset and header only",
        ),
        (
            "text/csv; header=none",
            "the content type 'text/csv; header=none' is not read; use charset and header only",
        ),
    ],
)
def test_another_content_type_is_415_as_in_mlflow(media: str, message: str) -> None:
    assert invoke({"instances": ROWS}, media) == (
        415, {"error_code": "UNSUPPORTED_MEDIA_TYPE", "message": message, "details": []}
    )  # fmt: skip


def test_what_no_answer_can_be_is_406() -> None:
    status, answer = invoke({"instances": ROWS}, accept="application/x-recordio-protobuf")
    assert (status, answer["error_code"]) == (406, "NOT_ACCEPTABLE")


def test_health_and_version_are_as_in_mlflow() -> None:
    ping = ask(b"", method="GET", path="/ping")
    assert ask(b"", method="GET", path="/health") == ping
    assert ping[0] == 200
    version = answered(b"", method="GET", path="/version")
    assert (version.status, version.body, version.headers) == (200, b"2.0.0", {"content-type": "text/plain"})
    assert ask(b"", method="GET", path="/invocations")[1] == {
        "error_code": "METHOD_NOT_ALLOWED", "message": "/invocations takes POST, OPTIONS, not GET", "details": [],
    }  # fmt: skip


NUMBERS = st.floats(-1e6, 1e6) | st.integers(-1000, 1000)


@given(st.lists(st.lists(NUMBERS, min_size=4, max_size=4), max_size=5))
def test_the_same_rows_give_the_same_predictions_by_every_form(rows: list[list[float]]) -> None:
    expected = {"predictions": ask({"instances": rows})[1]["predictions"]}
    records = [dict(zip(IRIS, row, strict=True)) for row in rows]
    table = ",".join(IRIS) + "\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows)
    assert invoke({"dataframe_records": records}) == (200, expected)
    assert invoke({"dataframe_split": {"columns": IRIS, "data": rows}}) == (200, expected)
    assert invoke({"inputs": {name: [row[index] for row in rows] for index, name in enumerate(IRIS)}}) == (
        200,
        expected,
    )
    assert invoke(table, "text/csv") == (200, expected)
    assert invoke("\n".join(map(json.dumps, rows)), "application/jsonlines") == (200, expected)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*IRIS, "data", "columns"]), inner),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["dataframe_split", "dataframe_records", "instances", "inputs"]), VALUES, max_size=2
    )
)
def test_any_json_is_predicted_or_refused(body: Any) -> None:
    assert invoke(body)[0] in (200, 400)


@given(
    st.binary() | st.text().map(str.encode),
    st.sampled_from(["text/csv", "text/csv;header=absent", "application/jsonlines"]),
)
def test_any_bytes_are_predicted_or_refused(body: bytes, media: str) -> None:
    assert invoke(body, media)[0] in (200, 400)
