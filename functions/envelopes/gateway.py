"""What the HTTP envelopes share: how a body, headers and an answer are written inside a JSON event."""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from functions.errors import EventError, InvalidBody
from functions.messages import Response


def body_of(event: Mapping[str, Any]) -> bytes:
    """The body's bytes. Raises InvalidBody for broken base64, EventError for a body that is no text."""
    body = event.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise EventError("the event's body is not a text")
    if not event.get("isBase64Encoded"):
        return body.encode("utf-8", "surrogatepass")
    try:
        return b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidBody("the body is marked as base64 and is not; send it as it is, or encode it") from None


def headers_of(event: Mapping[str, Any]) -> dict[str, str]:
    """Header names in lower case. Raises EventError where headers are no object of texts."""
    headers = event.get("headers") or {}
    if not isinstance(headers, Mapping) or not all(isinstance(value, str) for value in headers.values()):
        raise EventError("the event's headers are not an object of texts")
    return {name.lower(): value for name, value in headers.items()}


def text_of(event: Mapping[str, Any], key: str) -> str:
    """Raises EventError where the event has no such text."""
    value = event.get(key)
    if not isinstance(value, str):
        raise EventError(f"the event has no text {key!r}")
    return value


def answer(response: Response) -> dict[str, Any]:
    return {
        "statusCode": response.status,
        "headers": response.headers,
        "body": response.body.decode(),
        "isBase64Encoded": False,
    }


def encoded_bytes(response: Response) -> int:
    """The body becomes a JSON text: quotes, backslashes and line ends take two bytes; the rest is the frame."""
    body = response.body
    frame = 256 + sum(len(name) + len(value) + 8 for name, value in response.headers.items())
    return len(body) + sum(body.count(mark) for mark in (b'"', b"\\", b"\n")) + frame
