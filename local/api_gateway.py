"""API Gateway's HTTP API, payload format 2.0: request -> event, answer -> response; pure, it must not know sockets.

Source: API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs". Where the guide is silent
the form is what AWS was seen to send: the path arrives decoded, the query as it was; a body is text only under
text/*, application/json, application/javascript and application/xml, and Base64 under anything else or nothing.
"""

import base64
import json
import time
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

TEXT_TYPES = ("application/json", "application/javascript", "application/xml")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What came over the wire. `target` is the request line's path and query; `headers` are in order, repeats kept."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    source_ip: str
    port: int
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class NoResponse(Exception):
    """What the function returned is not a response, by API Gateway's reading."""


def event(request: HttpRequest) -> bytes:
    """The event for a `$default` route and stage, as JSON."""
    now = time.time()
    raw_path, _, query = request.target.partition("?")
    path = unquote(raw_path).partition("?")[0]
    headers, cookies = _headers(request)
    domain = headers.get("host", "localhost")
    made: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
    }
    if cookies:
        made["cookies"] = cookies
    made["headers"] = headers
    if query:
        made["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    made["requestContext"] = {
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": domain,
        "domainPrefix": domain.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": uuid.uuid4().hex[:15] + "=",
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }
    text = _text(request.body, headers.get("content-type", ""))
    if request.body:
        made["body"] = base64.b64encode(request.body).decode() if text is None else text
    made["isBase64Encoded"] = bool(request.body) and text is None
    return json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogateescape")


def response(payload: bytes) -> HttpResponse:
    """What a client sees of the function's answer. Raises NoResponse where it is none."""
    try:
        answer = json.loads(payload)
    except ValueError:
        raise NoResponse("not JSON") from None
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer.encode() if isinstance(answer, str) else payload
        return HttpResponse(200, [("content-type", "application/json")], body)
    lines = _answer_headers(answer)
    return HttpResponse(_status(answer["statusCode"]), lines, _answer_body(answer))


def _status(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 100 <= value <= 599:
        raise NoResponse(f"statusCode is {value!r}")
    return value


def _answer_body(answer: dict[str, Any]) -> bytes:
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise NoResponse("body is not a string")
    try:
        return base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
    except ValueError:
        raise NoResponse("body is not Base64, or not Unicode") from None


def _answer_headers(answer: dict[str, Any]) -> list[tuple[str, str]]:
    headers = answer.get("headers") or {}
    cookies = answer.get("cookies") or []
    if not isinstance(headers, dict) or not isinstance(cookies, list):
        raise NoResponse("headers is not an object, or cookies not a list")
    lines = [(name.lower(), value if isinstance(value, str) else json.dumps(value)) for name, value in headers.items()]
    lines = [(name, value) for name, value in lines if name != "content-length"]  # counted, not believed
    if "content-type" not in dict(lines):
        lines.append(("content-type", "text/plain;charset=UTF-8"))
    lines += [("set-cookie", str(cookie)) for cookie in cookies]
    for name, value in lines:
        if not name or any(character in name + value for character in "\r\n\0"):
            raise NoResponse(f"header {name!r} cannot be sent")
    return lines


def _headers(request: HttpRequest) -> tuple[dict[str, str], list[str]]:
    lines = [(name.lower(), value.strip()) for name, value in request.headers]
    cookies = [part.strip() for name, value in lines if name == "cookie" for part in value.split(";") if part.strip()]
    lines += [("x-forwarded-for", request.source_ip), ("x-forwarded-port", str(request.port))]
    lines += [("x-forwarded-proto", "http")]
    return _joined(
        [line for line in lines if line[0] not in ("cookie", "connection", "transfer-encoding", "expect")]
    ), cookies


def _joined(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Repeats joined by a comma, as format 2.0 has it."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _text(body: bytes, content_type: str) -> str | None:
    kind = content_type.partition(";")[0].strip().lower()
    if not (kind.startswith("text/") or kind in TEXT_TYPES):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
