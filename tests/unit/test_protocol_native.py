"""POST /predict, GET /model, GET /ping on real pipelines: whole answers."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from functions.errors import InvalidRows
from functions.inference.engine import Predictions
from functions.protocols import routes
from functions.signature import Cell
from tests.asking import MODELS, ask
from tests.models import VERSION

OPTIONS = 'beside them "probabilities" (true or false), "top_k" and "id" may stand'
LEGEND = 'send {"instances": [[...], ...]}, each row a list in the model\'s order or an object by feature name'
NAMES = "sepal_length, sepal_width, petal_length, petal_width"


def refused(body: Any, model: str = "iris", **headers: str) -> tuple[int, str, str, list[dict[str, Any]]]:
    status, answer, _ = ask(body, model, **headers)
    assert set(answer) == {"error"}
    error = answer["error"]
    assert set(error) == {"code", "message", "details"}
    return status, error["code"], error["message"], error["details"]


def test_rows_as_lists_and_as_objects_give_predictions_probabilities_name_and_version() -> None:
    named = {"petal_width": 2.5, "petal_length": 6.0, "sepal_width": 2.5, "sepal_length": 6.3}
    status, answer, headers = ask({"instances": [[5.1, 3.5, 1.4, 0.2], named]})
    assert (status, headers) == (200, {"content-type": "application/json"})
    probabilities = answer.pop("probabilities")
    assert answer == {"predictions": ["setosa", "virginica"], "model": {"name": "iris", "version": VERSION}}
    assert [list(row) for row in probabilities] == [["setosa", "versicolor", "virginica"]] * 2
    assert [sum(row.values()) for row in probabilities] == pytest.approx([1, 1], abs=1e-12)
    assert probabilities[0]["setosa"] == pytest.approx(0.9847031668428455, abs=1e-9)


def test_a_request_may_ask_for_less_and_is_known_by_its_id() -> None:
    row = [6.0, 2.7, 5.1, 1.6]
    whole = ask({"instances": [row]})[1]
    likeliest = sorted(whole["probabilities"][0].items(), key=lambda item: -item[1])
    _, answer, _ = ask({"instances": [row], "top_k": 2, "id": "a-7"})
    assert answer == whole | {"probabilities": [dict(likeliest[:2])], "id": "a-7"}
    assert list(answer["probabilities"][0]) == [name for name, _ in likeliest[:2]]
    assert ask({"instances": [row], "top_k": 2.0, "id": "a-7"})[1] == answer  # JSON Schema's integers
    assert ask({"instances": [row], "top_k": 9})[1] == whole
    _, answer, _ = ask({"instances": [row], "probabilities": False})
    assert answer == {"predictions": whole["predictions"], "model": whole["model"]}


@pytest.mark.filterwarnings("ignore:overflow encountered")  # numpy says so too
def test_a_row_whose_prediction_is_no_finite_number_is_named_and_the_clients_mistake() -> None:
    assert refused({"instances": [[0, 1], [1e308, 1e308], [1, 1]]}, "price") == (
        400,
        "prediction_not_finite",
        "the model answers 1 of 3 rows with a number that is not finite",
        [
            {
                "row": 1,
                "column": None,
                "found": "a prediction that is not finite",
                "expected": "numbers of the size that training saw",
            }
        ],
    )


def test_no_rows_give_no_predictions() -> None:
    assert ask({"instances": []})[:2] == (
        200,
        {"predictions": [], "probabilities": [], "model": {"name": "iris", "version": VERSION}},
    )


def test_a_regression_answers_numbers_and_no_probabilities() -> None:
    status, answer, _ = ask({"instances": [{"y": 1.5, "x": 2.5}, [0, 1]]}, "price")
    assert status == 200
    assert answer["predictions"] == pytest.approx([4.791666666666666, 0.5])
    assert set(answer) == {"predictions", "model"}


def test_booleans_texts_and_missing_values_are_taken_where_training_saw_them() -> None:
    status, answer, _ = ask({"instances": [[None, None, None], {"age": 22, "city": "Bern", "member": False}]}, "mixed")
    assert status == 200
    assert [type(label) for label in answer["predictions"]] == [bool, bool]
    assert answer["predictions"][1] is True
    assert [list(row) for row in answer["probabilities"]] == [["false", "true"]] * 2


def test_a_category_training_never_saw_is_handled_as_the_pipeline_handles_it() -> None:
    assert ask({"instances": [[30, "Zug", True]]}, "mixed")[0] == 200


@pytest.mark.parametrize(
    ("row", "column", "found", "expected"),
    [
        (["abc", 3.5, 1.4, 0.2], "sepal_length", "abc", "a number"),
        (["5.1", 3.5, 1.4, 0.2], "sepal_length", "5.1", "a number"),
        ([5.1, True, 1.4, 0.2], "sepal_width", True, "a number"),
        ([5.1, None, 1.4, 0.2], "sepal_width", None, "a number"),
        ([5.1, 3.5, [1.4], 0.2], "petal_length", "a list", "a number"),
        ([5.1, 3.5, {"a": 1}, 0.2], "petal_length", "an object", "a number"),
        ([5.1, 3.5, 1.4, 2**53 + 1], "petal_width", "9007199254740993", "a whole number that float64 can hold exactly"),
        ([5.1, 3.5, 1.4, 10**400], "petal_width", "a huge whole number", "a number that float64 can hold"),
        ([5.1, 3.5, 1.4, 10**350], "petal_width", "a huge whole number", "a number that float64 can hold"),
        ([5.1, 3.5, 1.4, "x" * 100], "petal_width", "x" * 79 + "…", "a number"),
        ([5.1, 3.5, 1.4], None, "3 values", f"4 values: {NAMES}"),
        ([5.1, 3.5, 1.4, 0.2, 1], None, "5 values", f"4 values: {NAMES}"),
        (5.1, None, 5.1, "a list of values, or an object by feature name"),
        ("row", None, "row", "a list of values, or an object by feature name"),
        (None, None, None, "a list of values, or an object by feature name"),
    ],
)  # fmt: skip
def test_a_bad_cell_or_row_is_named_with_what_was_found_and_expected(
    row: Any, column: str | None, found: Any, expected: str
) -> None:
    good = [5.1, 3.5, 1.4, 0.2]
    assert refused({"instances": [good, row]}) == (
        400,
        "invalid_rows",
        "1 of 2 rows cannot be scored",
        [{"row": 1, "column": column, "found": found, "expected": expected}],
    )


@pytest.mark.parametrize(
    ("text", "found"),
    [(b"NaN", "NaN"), (b"Infinity", "Infinity"), (b"-Infinity", "-Infinity"), (b"1e400", "Infinity")],
)
def test_numbers_that_are_not_finite_are_named_with_their_row_and_column(text: bytes, found: str) -> None:
    assert refused(b'{"instances": [[5.1, 3.5, ' + text + b", 0.2]]}") == (
        400,
        "invalid_rows",
        "1 of 1 row cannot be scored",
        [{"row": 0, "column": "petal_length", "found": found, "expected": "a finite number"}],
    )


def test_numbers_float64_holds_are_read_however_they_are_written() -> None:
    assert ask(b'{"instances": [[1152921504606846976, -0, 1e-400, 5e0]]}')[0] == 200


def test_unknown_missing_and_repeated_names_are_told_together() -> None:
    row = {"sepal_length": 5.1, "sepal_wdth": 3.5, "petal_length": 1.4, " petal_length ": 1.4, "petal_width": 0.2}
    assert refused({"instances": [row]}) == (
        400,
        "invalid_rows",
        "1 of 1 row cannot be scored",
        [
            {"row": 0, "column": "sepal_wdth", "found": "an unknown name", "expected": f"one of {NAMES}"},
            {"row": 0, "column": "petal_length", "found": "the name twice", "expected": "each name once"},
            {"row": 0, "column": "sepal_width", "found": "nothing", "expected": "a number"},
        ],
    )


def test_no_more_than_ten_problems_are_told() -> None:
    status, code, message, details = refused({"instances": [["a", "b", "c", "d"]] * 50})
    assert (status, code, message) == (400, "invalid_rows", "at least 3 of 50 rows cannot be scored")
    assert [(problem["row"], problem["column"][:5]) for problem in details[-2:]] == [(2, "sepal"), (2, "sepal")]
    assert len(details) == 10


def test_null_is_refused_where_training_saw_no_missing_values_and_named_where_types_differ() -> None:
    assert refused({"instances": [["22", 5, "yes"]]}, "mixed")[3] == [
        {"row": 0, "column": "age", "found": "22", "expected": "a number or null"},
        {"row": 0, "column": "city", "found": 5, "expected": "a text or null"},
        {"row": 0, "column": "member", "found": "yes", "expected": "true or false or null"},
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", f"the body is empty; {LEGEND}"),
        (b"  \n", f"the body is empty; {LEGEND}"),
        (b"[[5.1, 3.5, 1.4, 0.2]]", f"the body is not an object; {LEGEND}"),
        (b"null", f"the body is not an object; {LEGEND}"),
        (b"{}", f'the body has no "instances"; {LEGEND}'),
        (b'{"inputs": []}', f"the body has no \"instances\", but 'inputs'; {LEGEND}"),
        (b'{"instances": [], "limit": 1}', f"the body has an unknown key 'limit'; {LEGEND}; {OPTIONS}"),
        (b'{"instances": [], "top_k": 0}', '"top_k" is to be a whole number from 1'),
        (b'{"instances": [], "top_k": 1.5}', '"top_k" is to be a whole number from 1'),
        (b'{"instances": [], "top_k": true}', '"top_k" is to be a whole number from 1'),
        (b'{"instances": [], "top_k": null}', '"top_k" is to be a whole number from 1'),
        (b'{"instances": [], "probabilities": 1}', '"probabilities" is to be true or false'),
        (b'{"instances": [], "id": 7}', '"id" is to be a text'),
        (b'{"instances": [], "id": "a", "id": "b"}', "the body repeats the key 'id' in one object; give each key once"),
        (b'{"instances": {}}', f'"instances" is not a list; {LEGEND}'),
        (b'{"instances": [5.1, 3.5, 1.4, 0.2]}', f'"instances" is one flat row; put it into a list: {LEGEND}'),
        (b'{"instances": [[1,2,3,4]', "the body is not JSON: Expecting ',' delimiter, line 1, column 25"),
        (b'{"instances": [[1,2,3,4],]}', "the body is not JSON: Expecting value, line 1, column 26"),
        (b"instances=1", "the body is not JSON: Expecting value, line 1, column 1"),
        (b'{"instances": ["\xff"]}', "the body is not UTF-8: byte 16"),
        (b'{"instances": ' + b"[" * 100000 + b"]" * 100000 + b"}", "the body is nested deeper than 32"),
        (b'{"instances": [], "instances": []}',
         "the body repeats the key 'instances' in one object; give each key once"),
        (b'{"instances": [], "inst\\u0061nces": []}',
         "the body repeats the key 'instances' in one object; give each key once"),
        (b'{"instances": [["\\ud800", 1, 2, 3]]}',
         "the body holds \\ud800, half of a surrogate pair; send whole characters"),
        (b'{"\\uDFFF": []}', "the body holds \\udfff, half of a surrogate pair; send whole characters"),
        (b'{"instances": [{"\\ud83d": 1, "petal_width": 2}]}',
         "the body holds \\ud83d, half of a surrogate pair; send whole characters"),
        (b'{"instances": [{"petal_width": 1, "petal_width": 2}]}',
         "the body repeats the key 'petal_width' in one object; give each key once"),
    ],
)  # fmt: skip
def test_a_malformed_body_is_refused_with_the_hint_that_mends_it(body: bytes, message: str) -> None:
    assert refused(body) == (400, "invalid_body", message, [])


def test_a_key_that_is_repeated_among_many_is_found_at_once() -> None:
    keys = ",".join(f'"{number}":1' for number in range(200_000))
    body = b'{"instances":[{' + keys.encode() + b',"199999":2}]}'
    assert refused(body)[2] == "the body repeats the key '199999' in one object; give each key once"


def test_of_many_names_that_are_unknown_ten_are_told_and_none_at_length() -> None:
    row = {"é" * 200_000 + str(number): 1 for number in range(12)}
    status, _, message, details = refused({"instances": [row, row]})
    assert (status, message) == (400, "at least 1 of 2 rows cannot be scored")
    named = "é" * 79 + "…"
    assert details == [
        {"row": 0, "column": named, "found": "an unknown name", "expected": f"one of {NAMES}"} for _ in range(10)
    ]


class Counting:
    """An engine that refuses every row, and counts the rows it is asked for."""

    name = "counting"
    asked = 0

    def predict_rows(self, rows: Sequence[Sequence[Cell]]) -> Predictions:
        self.asked += len(rows)
        raise ValueError("refused")

    def predict_columns(self, columns: Sequence[Any]) -> Predictions:
        raise NotImplementedError  # nothing here asks by columns


def test_of_many_rows_that_the_pipeline_refuses_the_first_ten_are_told_and_the_others_not_tried() -> None:
    engine = Counting()
    served = replace(MODELS["iris"].get(), engine=engine)
    with pytest.raises(InvalidRows) as refused_rows:
        served.predict([[1.0, 2.0, 3.0, 4.0]] * 100_000)
    assert refused_rows.value.message == "at least 10 of 100000 rows cannot be scored"
    assert [problem["row"] for problem in refused_rows.value.details] == list(range(10))
    assert engine.asked < 4 * 100_000


@pytest.mark.parametrize("name", ["petal_width", " petal_width\t", "\ufeffpetal_width"])
def test_spaces_and_byte_order_marks_around_a_name_are_no_part_of_it(name: str) -> None:
    row = {"sepal_length": 6.3, "sepal_width": 2.5, "petal_length": 6.0, name: 2.5}
    assert ask({"instances": [row]})[1]["predictions"] == ["virginica"]
    assert ask({"instances": [row | {f"{name}\u00a0": 1}]})[0] == 400  # a no-break space is part of a name


def test_a_whole_surrogate_pair_and_an_escaped_backslash_are_characters_like_others() -> None:
    assert ask(b'{"instances": [[20, "\\ud83d\\ude00", true], [20, "\\\\ud800", true]]}', "mixed")[0] == 200


def test_brackets_inside_texts_are_no_nesting() -> None:
    assert ask({"instances": [[20, "[" * 50, True]]}, "mixed")[0] == 200


def test_a_byte_order_mark_before_the_body_is_read_over() -> None:
    assert ask(b'\xef\xbb\xbf{"instances": []}')[0] == 200


@pytest.mark.parametrize(
    "media",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/x-www-form-urlencoded",
        "",
        "application/vnd.x+json",
    ],
)
def test_json_is_read_under_every_name_clients_give_it(media: str) -> None:
    assert ask({"instances": []}, content_type=media)[0] == 200


def test_another_content_type_or_charset_is_415() -> None:
    assert refused({"instances": []}, content_type="text/csv") == (
        415, "unsupported_media_type", "the body is text/csv; send application/json", []
    )  # fmt: skip
    assert refused({"instances": []}, content_type="application/json; charset=latin-1") == (
        415, "unsupported_media_type", "the body's charset=latin-1 is not read; send UTF-8", []
    )  # fmt: skip


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "application/json",
        "text/html, application/*;q=0.5",
        "text/html,*/*;q=0.1",
        "*/*;q=0, application/json",
        "application/*;q=0, application/json;v=1",
    ],
)
def test_json_is_answered_to_whoever_accepts_it(accept: str) -> None:
    assert ask({"instances": []}, accept=accept)[0] == 200


@pytest.mark.parametrize(
    "accept",
    [
        "text/html",
        "application/json;q=0",
        "application/json; q=0.000, text/csv",
        "application/json;q=0, */*",
        "application/*;v=1;q=0, */*",
    ],
)
def test_a_client_that_does_not_accept_json_gets_406(accept: str) -> None:
    assert refused({"instances": []}, accept=accept) == (
        406, "not_acceptable", f"the answer is application/json; the request accepts only {accept}", []
    )  # fmt: skip


def test_an_unknown_path_is_404_and_says_what_there_is() -> None:
    told = f"there is nothing at /predictions; there is /predict, /model, /ping, {', '.join(routes.OTHERS)}"
    assert ask(b"", method="GET", path="/predictions")[:2] == (
        404, {"error": {"code": "not_found", "message": told, "details": []}}
    )  # fmt: skip


def test_a_wrong_method_is_405_with_allow() -> None:
    status, answer, headers = ask(b"", method="GET", path="/predict")
    assert (status, headers["allow"]) == (405, "POST, OPTIONS")
    told = "/predict takes POST, OPTIONS, not GET"
    assert answer == {"error": {"code": "method_not_allowed", "message": told, "details": []}}


def test_a_trailing_slash_changes_nothing() -> None:
    assert ask({"instances": []}, path="/predict/")[0] == 200


def test_ping_names_the_model_that_is_ready() -> None:
    assert ask(b"", method="GET", path="/ping")[:2] == (
        200, {"ready": True, "model": {"name": "iris", "version": VERSION}}
    )  # fmt: skip


def test_model_shows_the_public_part_of_the_manifest_and_no_rows() -> None:
    status, answer, _ = ask(b"", method="GET", path="/model")
    assert status == 200
    assert answer["name"] == "iris"
    assert answer["classes"] == ["setosa", "versicolor", "virginica"]
    assert [feature["name"] for feature in answer["features"]] == NAMES.split(", ")
    assert set(answer) == {
        "name", "version", "created", "task", "features", "target", "classes", "metrics", "engine", "libraries",
        "refresh",
    }  # fmt: skip


TEXTS = st.text(st.characters())  # surrogates too: JSON can spell half of a pair
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(VALUES | st.fixed_dictionaries({"instances": VALUES | st.lists(st.lists(VALUES, min_size=4, max_size=4))}))
def test_any_json_body_is_predicted_or_refused_as_the_clients_mistake(body: Any) -> None:
    status, answer, _ = ask(body)
    assert status in (200, 400)
    assert set(answer) == ({"predictions", "probabilities", "model"} if status == 200 else {"error"})


@given(st.binary())
def test_any_bytes_are_predicted_or_refused_as_the_clients_mistake(body: bytes) -> None:
    assert ask(body)[0] in (200, 400)
