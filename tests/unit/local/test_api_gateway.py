"""The HTTP API's event and answer, whole, as AWS documents them."""

import json

import pytest

from local.api_gateway import HttpRequest, HttpResponse, NoResponse, event, response


def request(target: str = "/predict", headers: list[tuple[str, str]] | None = None, body: bytes = b"") -> HttpRequest:
    return HttpRequest("POST", target, headers or [], body, "192.0.2.1", 8080)


def test_a_request_becomes_a_whole_payload_2_0_event() -> None:
    made = json.loads(
        event(
            request(
                "/models/a%20b%2Fc?x=1&y=%C3%A4&x=2&empty=",
                [
                    ("Host", "api.example.com:8080"),
                    ("Content-Type", "application/json; charset=utf-8"),
                    ("User-Agent", "curl/8"),
                    ("X-Twice", "one"),
                    ("x-twice", "two"),
                    ("Cookie", "a=1; b=2"),
                    ("Cookie", "c=3"),
                    ("Connection", "keep-alive"),
                ],
                '{"name": "Zürich"}'.encode(),
            )
        )
    )
    context = made["requestContext"]
    assert isinstance(context.pop("timeEpoch"), int)
    assert context.pop("time").endswith(" +0000")
    assert context.pop("requestId")
    assert made == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/models/a b/c",
        "rawQueryString": "x=1&y=%C3%A4&x=2&empty=",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "host": "api.example.com:8080",
            "content-type": "application/json; charset=utf-8",
            "user-agent": "curl/8",
            "x-twice": "one,two",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "8080",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"x": "1,2", "y": "ä", "empty": ""},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "local",
            "domainName": "api.example.com:8080",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/models/a b/c",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "curl/8",
            },
            "routeKey": "$default",
            "stage": "$default",
        },
        "body": '{"name": "Zürich"}',
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("kind", ["application/json", "text/csv; header=present", "application/xml", "TEXT/plain"])
def test_a_body_of_a_text_type_arrives_as_text(kind: str) -> None:
    made = json.loads(event(request(headers=[("Content-Type", kind)], body=b"a,b\r\n")))
    assert (made["body"], made["isBase64Encoded"]) == ("a,b\r\n", False)


@pytest.mark.parametrize("kind", ["", "application/x-www-form-urlencoded", "application/octet-stream", "application/x"])
def test_a_body_of_any_other_type_or_none_arrives_as_base64(kind: str) -> None:
    made = json.loads(event(request(headers=[("Content-Type", kind)] if kind else [], body=b"{}")))
    assert (made["body"], made["isBase64Encoded"]) == ("e30=", True)


def test_a_text_that_is_no_utf_8_arrives_as_base64() -> None:
    made = json.loads(event(request(headers=[("Content-Type", "text/csv")], body=b"\xff")))
    assert (made["body"], made["isBase64Encoded"]) == ("/w==", True)


def test_no_body_makes_no_body_field() -> None:
    made = json.loads(event(request()))
    assert "body" not in made
    assert made["isBase64Encoded"] is False


def test_a_response_object_sets_status_headers_cookies_and_body() -> None:
    answer = {
        "statusCode": 201,
        "headers": {"Content-Type": "text/csv", "X-Rows": 3, "Content-Length": "99"},
        "cookies": ["a=1", "b=2; Secure"],
        "body": "é",
    }
    lines = [("content-type", "text/csv"), ("x-rows", "3"), ("set-cookie", "a=1"), ("set-cookie", "b=2; Secure")]
    assert response(json.dumps(answer).encode()) == HttpResponse(201, lines, "é".encode())


def test_a_base64_body_is_decoded() -> None:
    answer = b'{"statusCode": 200, "body": "AAH/", "isBase64Encoded": true}'
    assert response(answer).body == b"\x00\x01\xff"


def test_json_without_a_status_is_a_200_with_that_json() -> None:
    lines = [("content-type", "application/json")]
    assert response(b'{"predictions":[1]}') == HttpResponse(200, lines, b'{"predictions":[1]}')
    assert response(b'"hello"') == HttpResponse(200, lines, b"hello")
    assert response(b"null") == HttpResponse(200, lines, b"null")


@pytest.mark.parametrize(
    "answer",
    [
        b"not json",
        b'{"statusCode": "many"}',
        b'{"statusCode": true}',
        b'{"statusCode": 99}',
        b'{"statusCode": 200, "body": {"a": 1}}',
        b'{"statusCode": 200, "body": "!", "isBase64Encoded": true}',
        b'{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}',
        b'{"statusCode": 200, "headers": []  , "cookies": "a"}',
    ],
)
def test_what_is_no_response_is_refused(answer: bytes) -> None:
    with pytest.raises(NoResponse):
        response(answer)
