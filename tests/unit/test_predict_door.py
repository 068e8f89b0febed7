"""The door in this process: events in, whole answers and log lines out."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import to_json
from hypothesis import given
from hypothesis import strategies as st

from functions import loader
from functions.errors import ModelRefused
from functions.inference.model import ServedModel
from functions.live import LiveModel, Source
from functions.predict import LIMIT, PredictDoor
from functions.registry.memory import MemoryStore
from tests.models import VERSION, publish_iris

EVENTS = Path(__file__).parents[2] / "events"
CONTEXT = SimpleNamespace(aws_request_id="c6af9ac6-7b61-11e6-9a41-93e8deadbeef")
MODEL = {"name": "iris", "version": VERSION}


class Refusing:
    """A source whose models are never fit to serve."""

    def latest(self, _known: str | None, /) -> loader.Pointer:
        error = ModelRefused("version 7: model.joblib at file:///secret/place is broken")
        error.details = [{"model": "iris", "version": "7"}]
        raise error

    def load(self, _version: str, /) -> ServedModel:
        raise AssertionError


def door(source: Source | None = None) -> PredictDoor:
    store = MemoryStore()
    publish_iris(store)
    return PredictDoor(LiveModel(source or loader.RegistrySource(store, loader.Reference("iris"))).start())


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def test_the_same_rows_give_the_same_answer_through_every_envelope() -> None:
    ask = door()
    direct = ask(event("direct"), CONTEXT)
    assert direct["predictions"] == ["setosa", "virginica"]
    assert direct["model"] == MODEL
    for name in ("http-api", "rest-api"):
        answer = ask(event(name), CONTEXT)
        assert (answer["statusCode"], answer["headers"], answer["isBase64Encoded"]) == (
            200, {"content-type": "application/json"}, False
        )  # fmt: skip
        assert json.loads(answer["body"]) == direct


def test_a_direct_invocation_answers_errors_as_http_would_have_as_its_body() -> None:
    assert door()({"instances": [[1]]}, CONTEXT)["error"]["code"] == "invalid_rows"
    assert door()([[5.1, 3.5, 1.4, 0.2]], CONTEXT)["error"]["code"] == "invalid_body"


def test_an_event_nobody_sends_is_a_400_and_not_a_crash() -> None:
    broken = event("http-api") | {"requestContext": {}}
    assert json.loads(door()(broken, CONTEXT)["body"]) == {
        "error": {"code": "unreadable_event", "message": "the event's requestContext has no http", "details": []}
    }


def test_without_a_model_every_route_that_needs_one_is_503_with_retry_after_and_no_detail() -> None:
    ask = door(Refusing())
    for name in ("http-api", "http-api-model", "http-api-ping"):
        assert ask(event(name), CONTEXT) == {
            "statusCode": 503,
            "headers": {"content-type": "application/json", "retry-after": "5"},
            "body": '{"error":{"code":"model_refused",'
            '"message":"no model can be served now; the function\'s log says why",'
            '"details":[{"model":"iris","version":"7"}]}}',
            "isBase64Encoded": False,
        }
    assert ask({"instances": []}, CONTEXT)["error"]["code"] == "model_refused"


def test_a_defect_is_a_500_without_detail_and_its_traceback_is_logged(capfd: pytest.CaptureFixture[str]) -> None:
    ask = door()
    live = ask._live.get()
    broken = ServedModel(live.name, live.version, live.signature, live.schema, None, live.public)  # type: ignore[arg-type] # the defect
    ask._live._model = broken
    capfd.readouterr()
    answer = ask(event("http-api"), CONTEXT)
    assert (answer["statusCode"], answer["body"]) == (
        500,
        '{"error":{"code":"internal_error","message":"the function failed; its log says why","details":[]}}',
    )
    failure, request = map(json.loads, capfd.readouterr().out.splitlines())
    assert (failure["level"], failure["request_id"]) == ("ERROR", CONTEXT.aws_request_id)
    assert failure["trace"].startswith("Traceback")
    assert (request["ServerErrors"], request["status"]) == (1, 500)


def test_each_request_is_one_log_line_that_is_also_a_metric(capfd: pytest.CaptureFixture[str]) -> None:
    ask = door()
    capfd.readouterr()
    ask(event("http-api"), CONTEXT)
    line = json.loads(capfd.readouterr().out)
    assert line.pop("Milliseconds") > 0
    assert line.pop("_aws").pop("CloudWatchMetrics") == [
        {
            "Namespace": "serverless-sklearn",
            "Dimensions": [["function"]],
            "Metrics": [
                {"Name": "Rows", "Unit": "Count"},
                {"Name": "Milliseconds", "Unit": "Milliseconds"},
                {"Name": "ClientErrors", "Unit": "Count"},
                {"Name": "ServerErrors", "Unit": "Count"},
            ],
        }
    ]
    del line["time"]
    assert line == {
        "level": "INFO", "message": "request", "function": "predict", "Rows": 2, "ClientErrors": 0, "ServerErrors": 0,
        "request_id": CONTEXT.aws_request_id, "path": "/predict", "status": 200, "model": VERSION,
    }  # fmt: skip


def test_an_answer_over_lambdas_limit_is_413_and_says_how_many_rows_would_fit() -> None:
    rows = {"instances": [[5.1, 3.5, 1.4, 0.2]] * 60_000}
    sample = event("http-api") | {"body": json.dumps(rows)}
    ask = door()
    answer = ask(sample, CONTEXT)
    assert answer["statusCode"] == 413
    error = json.loads(answer["body"])["error"]
    assert error["code"] == "payload_too_large"
    fitting = int(error["message"].split("about ")[1].split(" ")[0])
    sample["body"] = json.dumps({"instances": rows["instances"][:fitting]})
    whole = ask(sample, CONTEXT)
    assert whole["statusCode"] == 200
    assert LIMIT * 0.85 < len(json.dumps(whole)) < LIMIT


ODD = st.text(st.characters(categories=["Cs", "L", "P"]), max_size=5)  # half of a surrogate pair is no character
ASKED = door()


@given(
    st.sampled_from(["http-api", "rest-api", "direct"]),
    st.sampled_from(["rawPath", "path", "httpMethod", "headers", "multiValueHeaders", "body", "instances"]),
    ODD | st.dictionaries(ODD, ODD, max_size=2) | st.lists(ODD | st.lists(ODD, max_size=4), max_size=2),
)
def test_whatever_an_event_holds_it_is_answered_and_never_the_functions_fault(name: str, key: str, odd: Any) -> None:
    answer = json.loads(to_json(ASKED(event(name) | {key: odd}, CONTEXT)))
    assert answer.get("statusCode", 400) in (200, 400, 404, 405, 406)


def test_half_of_a_surrogate_pair_is_the_clients_mistake_by_every_envelope() -> None:
    ask = door()
    told = {
        "error": {
            "code": "invalid_body",
            "message": "the body holds \\ud800, half of a surrogate pair; send whole characters",
            "details": [],
        }
    }
    body = {"instances": [["\ud800", 1, 2, 3]]}
    assert ask(body, CONTEXT) == told
    for name in ("http-api", "rest-api"):
        answer = ask(event(name) | {"body": json.dumps(body)}, CONTEXT)
        assert (answer["statusCode"], json.loads(answer["body"])) == (400, told)
