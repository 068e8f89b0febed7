"""What the HTTP envelopes share: how a body, headers and an answer are written inside a JSON event."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from functions.errors import EventError, InvalidBody
from functions.messages import Response

LIMIT = 6 * 1024 * 1024  # bytes of the encoded answer; source: Lambda quotas, "Invocation payload"


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
    return headers(event.get("headers") or {})


def headers(found: Any) -> dict[str, str]:
    try:
        if not _is_text("".join(found) + "".join(found.values())):
            raise TypeError
        return {name.lower(): value for name, value in found.items()}
    except (TypeError, AttributeError):
        raise EventError("the event's headers are not an object of texts") from None


def joined_headers_of(event: Mapping[str, Any]) -> dict[str, str]:
    """Headers given as lists, those of a list joined by commas (RFC 9110, 5.3)."""
    lists = event.get("multiValueHeaders") or {}
    if not isinstance(lists, dict) or not all(isinstance(values, list) for values in lists.values()):
        raise EventError("the event's multiValueHeaders are not an object of lists")
    return headers({name: ",".join(str(value) for value in values) for name, values in lists.items()})


def text_of(event: Mapping[str, Any], key: str) -> str:
    """Raises EventError where the event has no such text."""
    value = event.get(key)
    if not _is_text(value):
        raise EventError(f"the event has no text {key!r}")
    return str(value)


def _is_text(value: Any) -> bool:
    """JSON can spell half of a surrogate pair, which is no character: no text that holds one can be answered."""
    if not isinstance(value, str):
        return False
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


def answer(response: Response) -> dict[str, Any]:
    packed = "content-encoding" in response.headers
    return {
        "statusCode": response.status,
        "headers": response.headers,
        "body": b64encode(response.body).decode() if packed else response.body.decode(),
        "isBase64Encoded": packed,
    }
