"""Each envelope on its own sample event, and on broken ones."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from awslambdaric.lambda_runtime_marshaller import to_json
from hypothesis import given
from hypothesis import strategies as st

from functions import envelopes
from functions.envelopes.direct import Direct
from functions.envelopes.http_api import HttpApi
from functions.envelopes.load_balancer import LoadBalancer
from functions.envelopes.rest_api import RestApi
from functions.errors import EventError, InvalidBody
from functions.messages import Request, Response

EVENTS = Path(__file__).parents[2] / "events"
FRAME = 200  # bytes of an answer beside its body


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize(
    ("name", "kind"),
    [("http-api", HttpApi), ("http-api-model", HttpApi), ("http-api-ping", HttpApi), ("rest-api", RestApi),
     ("function-url", HttpApi), ("load-balancer", LoadBalancer), ("load-balancer-multi-value", LoadBalancer),
     ("direct", Direct)],
)  # fmt: skip
def test_each_sample_event_is_known_by_its_envelope(name: str, kind: type) -> None:
    assert type(envelopes.of(event(name))) is kind


@pytest.mark.parametrize(
    "anything", [None, [], "text", 1, {}, {"Records": []}, {"version": "2.0"}, {"httpMethod": "GET"}]
)
def test_whatever_nobody_knows_is_a_direct_invocation(anything: Any) -> None:
    found = envelopes.of(anything)
    assert type(found) is Direct
    assert json.loads(found.request(anything).body) == anything


def test_an_http_api_event_becomes_a_request() -> None:
    sample = event("http-api")
    request = HttpApi().request(sample)
    assert (request.method, request.path) == ("POST", "/predict")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == event("direct")


def test_a_named_stage_is_no_part_of_the_path() -> None:
    sample = event("http-api-ping")
    sample["rawPath"] = "/test/ping"
    sample["requestContext"]["stage"] = "test"
    assert HttpApi().request(sample).path == "/ping"
    sample["rawPath"] = "/test"
    assert HttpApi().request(sample).path == "/"
    sample["rawPath"] = "/testing"
    assert HttpApi().request(sample).path == "/testing"


def test_a_rest_api_event_becomes_a_request() -> None:
    sample = event("rest-api")
    sample["headers"] = {"Content-Type": "application/json"}
    sample["multiValueHeaders"] = {"Content-Type": ["application/json"], "Accept": ["text/html", "application/json"]}
    request = RestApi().request(sample)
    assert request == Request(
        method="POST",
        path="/predict",
        headers={"content-type": "application/json", "accept": "text/html,application/json"},
        body=request.body,
    )
    assert json.loads(request.body) == event("direct")


def test_a_rest_api_event_may_have_no_headers_and_no_body() -> None:
    request = RestApi().request(event("rest-api") | {"headers": None, "multiValueHeaders": None, "body": None})
    assert (request.headers, request.body) == ({}, b"")


@pytest.mark.parametrize("name", ["http-api", "rest-api"])
def test_a_base64_body_is_decoded_and_a_broken_one_is_the_clients_mistake(name: str) -> None:
    sample = event(name) | {"body": "eyJpbnN0YW5jZXMiOiBbXX0=", "isBase64Encoded": True}
    assert envelopes.of(sample).request(sample).body == b'{"instances": []}'
    with pytest.raises(InvalidBody) as refused:
        envelopes.of(sample).request(sample | {"body": "eyJ*"})
    assert str(refused.value) == "the body is marked as base64 and is not; send it as it is, or encode it"


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("http-api", {"body": {"a": 1}}, "the event's body is not a text"),
        ("http-api", {"headers": ["a"]}, "the event's headers are not an object of texts"),
        ("http-api", {"headers": {"a": 1}}, "the event's headers are not an object of texts"),
        ("http-api", {"requestContext": {}}, "the event's requestContext has no http"),
        ("http-api", {"requestContext": None}, "the event's requestContext has no http"),
        ("http-api", {"requestContext": {"http": {}}}, "the event has no text 'method'"),
        ("http-api", {"rawPath": None}, "the event has no text 'rawPath'"),
        ("rest-api", {"path": 1}, "the event has no text 'path'"),
        ("rest-api", {"httpMethod": None}, "the event has no text 'httpMethod'"),
        ("rest-api", {"multiValueHeaders": {"a": "b"}}, "the event's multiValueHeaders are not an object of lists"),
        ("http-api", {"rawPath": "/\ud800"}, "the event has no text 'rawPath'"),
        ("http-api", {"headers": {"accept": "\udfff"}}, "the event's headers are not an object of texts"),
        ("rest-api", {"path": "/\ud800"}, "the event has no text 'path'"),
        ("rest-api", {"multiValueHeaders": {"\ud800": ["b"]}}, "the event's headers are not an object of texts"),
    ],
)
def test_an_event_of_a_broken_shape_is_refused_with_what_is_wrong(
    name: str, change: dict[str, Any], message: str
) -> None:
    sample = event(name) | change
    with pytest.raises(EventError) as refused:
        envelopes.of(sample).request(sample)
    assert str(refused.value) == message


def test_http_answers_carry_status_headers_and_a_text_body() -> None:
    response = Response(405, b'{"a":"\xc3\xa9"}', {"content-type": "application/json", "allow": "POST"})
    expected = {
        "statusCode": 405,
        "headers": {"content-type": "application/json", "allow": "POST"},
        "body": '{"a":"é"}',
        "isBase64Encoded": False,
    }
    assert HttpApi().answer(response) == expected
    assert RestApi().answer(response) == expected


def test_a_load_balancer_is_answered_in_the_form_of_its_headers() -> None:
    response = Response(404, b"{}", {"content-type": "application/json"})
    for name, headers in (
        ("load-balancer", {"headers": {"content-type": "application/json"}}),
        ("load-balancer-multi-value", {"multiValueHeaders": {"content-type": ["application/json"]}}),
    ):
        envelope = envelopes.of(event(name))
        request = envelope.request(event(name))
        assert (request.method, request.path, request.headers["content-type"]) == (
            "POST", "/predict", "application/json"
        )  # fmt: skip
        assert json.loads(request.body) == event("direct")
        assert envelope.answer(response) == {
            "statusCode": 404, "statusDescription": "404 Not Found", "body": "{}", "isBase64Encoded": False, **headers,
        }  # fmt: skip


def test_a_packed_body_is_sent_in_base64() -> None:
    response = Response(200, b"\x1f\x8b", {"content-encoding": "gzip"})
    assert HttpApi().answer(response) == {
        "statusCode": 200, "headers": {"content-encoding": "gzip"}, "body": "H4s=", "isBase64Encoded": True,
    }  # fmt: skip


def test_a_direct_answer_is_the_body_itself() -> None:
    assert Direct().answer(Response(400, b'{"error": {"code": "x"}}')) == {"error": {"code": "x"}}


@given(st.text(), st.sampled_from(["http-api", "rest-api", "load-balancer", "direct"]))
def test_the_size_of_an_answer_is_what_the_runtime_sends_and_at_most_eight_times_its_body(text: str, name: str) -> None:
    envelope = envelopes.of(event(name))
    response = Response(200, msgspec.json.encode([text, {text: [1, 2.5, None, True]}]))
    sent = to_json(envelope.answer(response)).encode()
    assert envelopes.sent_bytes(envelope.answer(response)) == len(sent) <= 8 * len(response.body) + FRAME
