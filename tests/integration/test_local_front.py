"""The public port: an HTTP API for everybody and Lambda's Invoke for boto3, over real sockets and processes."""

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.connection import PortInUse
from local.front import Front
from tests.local_room import Room, eventually, room


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with room(tmp_path_factory.mktemp("room")) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(shared: Room) -> Iterator[Any]:
    """boto3, pointed here."""
    with closing(
        boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{shared.gateway.port}",
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",  # noqa: S106 - boto3 wants one, nobody reads it
            config=Config(retries={"max_attempts": 1}),
        )
    ) as made:
        yield made


def raw(port: int, text: bytes) -> bytes:
    """Sends bytes as they are and reads until the other side is done."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_request_reaches_the_function_and_its_answer_the_client(shared: Room) -> None:
    wanted = {"statusCode": 418, "headers": {"x-tea": "green"}, "cookies": ["a=1", "b=2"], "body": "short and stout"}
    answer = shared.ask(do="answer", answer=wanted)
    assert (answer.status, answer.headers["x-tea"], answer.body) == (418, "green", b"short and stout")
    assert answer.headers["content-type"] == "text/plain;charset=UTF-8"
    assert answer.headers["apigw-requestid"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_and_path_goes_to_the_function(shared: Room, method: str) -> None:
    body = json.dumps({"do": "answer", "answer": {"statusCode": 200, "body": method}}).encode()
    answer = shared.http(method, "/any/path?x=1", body, {"Content-Type": "application/json"})
    assert (answer.status, answer.body) == (200, method.encode())


def test_a_head_request_gets_no_body(shared: Room) -> None:
    body = json.dumps({"do": "answer", "answer": {"statusCode": 200, "body": "four"}}).encode()
    answer = shared.http("HEAD", "/", body, {"Content-Type": "application/json"})
    assert (answer.status, answer.headers["content-length"], answer.body) == (200, "4", b"")


def test_a_function_that_fails_is_a_500_without_detail(shared: Room) -> None:
    for event in ({"do": "raise"}, {"do": "answer", "answer": {"statusCode": "many"}}, {"do": "exit", "code": 1}):
        answer = shared.ask(**event)
        assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_request_whose_event_is_over_six_megabytes_is_turned_away(shared: Room) -> None:
    answer = shared.http("POST", "/predict", b" " * (6 * 1024 * 1024), {"Content-Type": "application/json"})
    assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})
    answer = shared.http("POST", "/predict", b" " * (11 * 1024 * 1024), {"Content-Type": "application/json"})
    assert (answer.status, answer.json) == (413, {"message": "Request Entity Too Large"})
    # Base64 takes a third more.
    answer = shared.http("POST", "/predict", b" " * (5 * 1024 * 1024))
    assert answer.status == 413


def test_a_response_over_six_megabytes_is_a_500(shared: Room) -> None:
    answer = shared.ask(do="large", bytes=6 * 1024 * 1024 + 100)
    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_chunked_body_is_put_together(shared: Room) -> None:
    body = json.dumps({"do": "answer", "answer": {"statusCode": 200, "body": "whole"}}).encode()
    head = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:7], body[7:])) + b"0\r\n\r\n"
    answer = raw(shared.gateway.port, head + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nwhole")


@pytest.mark.parametrize(
    "text",
    [
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/9\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_400_in_json(shared: Room, text: bytes) -> None:
    head, _, body = raw(shared.gateway.port, text).partition(b"\r\n\r\n")
    assert head.split()[1] in (b"400", b"505")
    assert list(json.loads(body)) == ["message"]


@pytest.mark.parametrize("length", [b"9" * 9, b"9" * 15, b"9" * 16, b"9" * 5000])
def test_a_length_beyond_all_measure_is_413_at_once(shared: Room, length: bytes) -> None:
    answer = raw(shared.gateway.port, b"POST / HTTP/1.1\r\nContent-Length: " + length + b"\r\n\r\nab")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b'\r\n\r\n{"message":"Request Entity Too Large"}')


def test_a_client_that_goes_away_in_the_middle_disturbs_nobody(shared: Room) -> None:
    assert raw(shared.gateway.port, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""
    assert shared.ask().status == 200


def test_boto3_calls_a_function_and_reads_its_answer(client: Any) -> None:
    answer = client.invoke(FunctionName="batch", Payload=b'{"do": "context"}')
    told = json.loads(answer["Payload"].read())
    assert 0 < told.pop("left") <= 20000
    assert len(told.pop("request_id")) == 36
    assert told == {
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:batch:live",
        "name": "batch",
        "memory": "512",
        "custom": None,
    }
    assert (answer["StatusCode"], answer["ExecutedVersion"], "FunctionError" in answer) == (200, "$LATEST", False)


def test_boto3_may_name_the_function_by_alias_or_arn_and_send_a_client_context(client: Any) -> None:
    context = "eyJjdXN0b20iOiB7ImEiOiAiMSJ9fQ=="  # {"custom": {"a": "1"}}
    for name in ("predict:live", "arn:aws:lambda:us-east-1:123456789012:function:predict"):
        answer = client.invoke(FunctionName=name, ClientContext=context, Payload=b'{"do": "context"}')
        assert json.loads(answer["Payload"].read())["custom"] == {"a": "1"}


def test_boto3_sees_the_functions_errors(client: Any) -> None:
    answer = client.invoke(FunctionName="predict", Payload=b'{"do": "raise"}')
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.loads(answer["Payload"].read())["errorMessage"] == "what the handler said"


def test_no_payload_is_an_empty_object_and_a_dry_run_calls_nobody(client: Any) -> None:
    assert "pid" in json.loads(client.invoke(FunctionName="predict")["Payload"].read())
    assert client.invoke(FunctionName="predict", InvocationType="DryRun", Payload=b"{}")["StatusCode"] == 204


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"FunctionName": "nobody"}, "ResourceNotFoundException"),
        ({"FunctionName": "predict", "Payload": b"{"}, "InvalidRequestContentException"),
        ({"FunctionName": "predict", "Payload": b'"' + b"x" * 6 * 1024 * 1024 + b'"'}, "RequestTooLargeException"),
        (
            {"FunctionName": "predict", "InvocationType": "Event", "Payload": b'"' + b"x" * 1024 * 1024 + b'"'},
            "RequestTooLargeException",
        ),
    ],
)
def test_boto3_sees_lambdas_own_errors(client: Any, asked: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        client.invoke(**asked)
    assert caught.value.response["Error"]["Code"] == code


def test_boto3_leaves_an_event_that_is_worked_on_later(client: Any, shared: Room) -> None:
    left = client.invoke(FunctionName="predict", InvocationType="Event", Payload=b'{"do": "answer", "answer": 1}')
    assert left["StatusCode"] == 202
    eventually(lambda: "-> predict done" in shared.said.getvalue())


def test_a_port_in_use_is_one_clear_line(shared: Room) -> None:
    gateway = shared.gateway
    with pytest.raises(PortInUse, match=rf"port {gateway.port} on 127.0.0.1 cannot be used: Address already in use"):
        Front("127.0.0.1", gateway.port, gateway.predict, gateway.batch, lambda *_: "", lambda *_: None)
