"""The door in this process: events in, whole answers and log lines out."""

import gzip
import json
from base64 import b64decode, b64encode
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import to_json
from hypothesis import given
from hypothesis import strategies as st

from functions import loader
from functions.envelopes.gateway import LIMIT
from functions.errors import ModelRefused
from functions.inference.model import ServedModel
from functions.live import LiveModel, Source
from functions.predict import PredictDoor
from functions.protocols.site import Site
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


def door(source: Source | None = None, site: Site | None = None) -> PredictDoor:
    store = MemoryStore()
    publish_iris(store)
    return PredictDoor(LiveModel(source or loader.RegistrySource(store, loader.Reference("iris"))).start(), site)


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


def test_the_same_rows_give_the_same_answer_through_every_envelope() -> None:
    ask = door()
    direct = ask(event("direct"), CONTEXT)
    assert direct["predictions"] == ["setosa", "virginica"]
    assert direct["model"] == MODEL
    for name in ("http-api", "rest-api", "function-url", "load-balancer"):
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
    del line["timestamp"]
    assert line == {
        "level": "INFO", "message": "request", "function": "predict", "Rows": 2, "ClientErrors": 0, "ServerErrors": 0,
        "request_id": CONTEXT.aws_request_id, "path": "/predict", "status": 200, "model": VERSION,
    }  # fmt: skip


def test_a_request_is_counted_under_the_functions_own_name(capfd: pytest.CaptureFixture[str]) -> None:
    ask = door()
    capfd.readouterr()
    ask(event("http-api"), SimpleNamespace(aws_request_id="1", function_name="stack-PredictFunction-2"))
    assert json.loads(capfd.readouterr().out)["function"] == "stack-PredictFunction-2"


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


def test_a_load_balancer_takes_less_and_is_told_so() -> None:
    rows = {"instances": [[5.1, 3.5, 1.4, 0.2]] * 20_000}
    for name, status in (("http-api", 200), ("load-balancer", 413)):
        answer = door()(event(name) | {"body": json.dumps(rows)}, CONTEXT)
        assert answer["statusCode"] == status


def test_a_long_answer_is_packed_for_whoever_takes_gzip_and_where_bytes_can_get_to_him() -> None:
    body = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]] * 100})
    for name, packed in (("http-api", True), ("load-balancer", True), ("rest-api", False)):
        sample = event(name) | {"body": body}
        plain = door()(sample, CONTEXT)
        for lists in ("headers", "multiValueHeaders"):
            if lists in sample:
                value: Any = "br, GZIP;q=0.5" if lists == "headers" else ["br, GZIP;q=0.5"]
                sample[lists] = sample[lists] | {"accept-encoding": value}
        answer = door()(sample, CONTEXT)
        assert answer["isBase64Encoded"] is packed
        if not packed:
            assert answer == plain
            continue
        assert gzip.decompress(b64decode(answer["body"])).decode() == plain["body"]
        assert answer["headers"] == plain["headers"] | {"content-encoding": "gzip", "vary": "accept-encoding"}


def test_a_short_answer_is_not_packed_and_no_answer_for_whoever_refuses_gzip() -> None:
    long = json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]] * 100})
    for body, accepted in ((event("http-api")["body"], "gzip"), (long, "gzip;q=0, br"), (long, "br")):
        sample = event("http-api") | {"body": body}
        sample["headers"] = sample["headers"] | {"accept-encoding": accepted}
        assert door()(sample, CONTEXT)["isBase64Encoded"] is False


def packed_event(body: bytes, coding: str = "gzip") -> dict[str, Any]:
    sample = event("http-api") | {"body": b64encode(body).decode(), "isBase64Encoded": True}
    sample["headers"] = sample["headers"] | {"content-encoding": coding}
    return sample


def test_a_packed_body_is_unpacked() -> None:
    body = gzip.compress(event("http-api")["body"].encode())
    whole = gzip.compress(b'{"instances": ') + gzip.compress(b"[]}")
    assert door()(packed_event(body, "GZIP"), CONTEXT) == door()(event("http-api"), CONTEXT)
    assert door()(packed_event(whole), CONTEXT)["statusCode"] == 200


@pytest.mark.parametrize(
    ("body", "coding", "status", "code", "message"),
    [
        (b"{}", "br", 415, "unsupported_media_type",
         "the body's content encoding 'br' is not read; send gzip, or none"),
        (b"{}", "gzip", 400, "invalid_body", "the body is marked as gzip and is not, or is broken; send it anew"),
        (gzip.compress(b"{}")[:-3], "gzip", 400, "invalid_body", "the body's gzip data is cut off; send it anew"),
        (gzip.compress(b" " * (6 * 1024 * 1024 + 1)), "gzip", 413, "payload_too_large",
         "the body is over 6291456 bytes when unpacked; send fewer rows, or drop them as a CSV into incoming/"),
    ],
)  # fmt: skip
def test_a_body_that_cannot_be_unpacked_is_the_clients_mistake(
    body: bytes, coding: str, status: int, code: str, message: str
) -> None:
    answer = door()(packed_event(body, coding), CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        status, {"error": {"code": code, "message": message, "details": []}}
    )  # fmt: skip
    assert answer["headers"].get("accept-encoding") == ("gzip" if status == 415 else None)


def asked(method: str, path: str, **headers: str) -> dict[str, Any]:
    sample = event("http-api") | {"rawPath": path, "body": None}
    sample["requestContext"] = sample["requestContext"] | {"http": {"method": method}}
    sample["headers"] = {name.replace("_", "-"): value for name, value in headers.items()}
    return sample


def test_head_is_get_without_its_body_and_options_says_what_there_is() -> None:
    ask = door()
    assert ask(asked("GET", "/ping"), CONTEXT)["body"] != ""
    assert ask(asked("HEAD", "/ping"), CONTEXT) == {
        "statusCode": 200, "headers": {"content-type": "application/json"}, "body": "", "isBase64Encoded": False,
    }  # fmt: skip
    assert ask(asked("OPTIONS", "/predict"), CONTEXT) == {
        "statusCode": 204, "headers": {"allow": "POST, OPTIONS"}, "body": "", "isBase64Encoded": False,
    }  # fmt: skip
    assert ask(asked("OPTIONS", "/model"), CONTEXT)["headers"] == {"allow": "GET, HEAD, OPTIONS"}
    assert ask(asked("HEAD", "/predict"), CONTEXT)["statusCode"] == 405
    assert ask(asked("OPTIONS", "/nothing"), CONTEXT)["statusCode"] == 404


PAGE = "https://page.example"
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("origins", "method", "headers", "expected"),
    [
        ((), "GET", {"origin": PAGE}, JSON),
        (("*",), "GET", {}, JSON),
        (("*",), "GET", {"origin": PAGE}, JSON | {"access-control-allow-origin": "*"}),
        ((PAGE,), "GET", {"origin": PAGE}, JSON | {"access-control-allow-origin": PAGE, "vary": "origin"}),
        ((PAGE,), "GET", {"origin": "https://other.example"}, JSON | {"vary": "origin"}),
        ((PAGE,), "OPTIONS", {"origin": PAGE, "access_control_request_method": "GET"},
         {"allow": "GET, HEAD, OPTIONS", "vary": "origin", "access-control-allow-origin": PAGE,
          "access-control-allow-methods": "GET, HEAD, OPTIONS", "access-control-max-age": "600",
          "access-control-allow-headers":
          "authorization, content-type, x-amz-content-sha256, x-amz-date, x-amz-security-token, x-api-key"}),
    ],
)  # fmt: skip
def test_other_sites_pages_may_read_answers_where_a_setting_says_so(
    origins: tuple[str, ...], method: str, headers: dict[str, str], expected: dict[str, str]
) -> None:
    ask = door(site=Site(origins=origins))
    assert ask(asked(method, "/ping", **headers), CONTEXT)["headers"] == expected


def test_a_packed_answer_to_a_page_varies_by_both() -> None:
    sample = event("http-api") | {"body": json.dumps({"instances": [[5.1, 3.5, 1.4, 0.2]] * 100})}
    sample["headers"] = {"origin": PAGE, "accept-encoding": "gzip"}
    headers = door(site=Site(origins=(PAGE,)))(sample, CONTEXT)["headers"]
    assert headers == JSON | {
        "access-control-allow-origin": PAGE, "content-encoding": "gzip", "vary": "origin, accept-encoding",
    }  # fmt: skip


def test_a_page_may_read_an_error_too() -> None:
    answer = door(site=Site(origins=(PAGE,)))(asked("GET", "/nothing", origin=PAGE), CONTEXT)
    assert (answer["statusCode"], answer["headers"]["access-control-allow-origin"]) == (404, PAGE)


def test_a_custom_domains_base_path_is_no_part_of_the_route() -> None:
    ask = door(site=Site("/models/iris/"))
    for path, status in (
        ("/models/iris/ping", 200), ("/models/iris/ping/", 200), ("/ping", 200), ("/models/iris", 404),
        ("/models/irises/ping", 404),
    ):  # fmt: skip
        assert ask(asked("GET", path), CONTEXT)["statusCode"] == status


def test_below_a_base_path_too_an_error_has_its_protocols_shape() -> None:
    answer = door(site=Site("/v1"))(asked("GET", "/v1/v2/models/irises"), CONTEXT)
    assert (answer["statusCode"], json.loads(answer["body"])) == (
        404, {"error": "there is no model 'irises' here; there is 'iris'"}
    )  # fmt: skip


ODD = st.text(st.characters(categories=["Cs", "L", "P"]), max_size=5)  # half of a surrogate pair is no character
ASKED = door()


@given(
    st.sampled_from(["http-api", "rest-api", "load-balancer", "load-balancer-multi-value", "direct"]),
    st.sampled_from(["rawPath", "path", "httpMethod", "headers", "multiValueHeaders", "body", "instances"]),
    ODD | st.dictionaries(ODD, ODD, max_size=2) | st.lists(ODD | st.lists(ODD, max_size=4), max_size=2),
)
def test_whatever_an_event_holds_it_is_answered_and_never_the_functions_fault(name: str, key: str, odd: Any) -> None:
    answer = json.loads(to_json(ASKED(event(name) | {key: odd}, CONTEXT)))
    assert answer.get("statusCode", 400) in (200, 204, 400, 404, 405, 406)


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
