"""Lambda's own `Invoke` and `Event` calls over HTTP, as boto3 makes them; it must not know API Gateway.

Source: AWS Lambda API Reference, "Invoke".
"""

import base64
import json
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from local.api_gateway import HttpResponse
from local.function import Function
from local.invocation import REQUEST_BYTES, Closing, Throttled

ROOT = "/2015-03-31/functions/"
EVENT_BYTES = 1024 * 1024  # the most that an asynchronous event may hold


def invoke(
    target: str,
    headers: Mapping[str, str],
    payload: bytes,
    functions: Mapping[str, Function],
    keep: Callable[[str, bytes], str],
) -> HttpResponse:
    """Answers `POST /2015-03-31/functions/{name}/invocations`. keep: stores an asynchronous event, gives its id."""
    name, _, verb = target.partition("?")[0].removeprefix(ROOT).rpartition("/")
    function = functions.get(_plain(unquote(name)))
    if verb != "invocations" or function is None:
        return _error(404, "ResourceNotFoundException", f"Function not found: {unquote(name)}")
    kind = headers.get("x-amz-invocation-type", "RequestResponse")
    limit = EVENT_BYTES if kind == "Event" else REQUEST_BYTES
    if len(payload) > limit:
        words = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        return _error(413, "RequestTooLargeException", words)
    try:
        json.loads(payload or b"{}")
    except (ValueError, RecursionError) as error:
        return _error(400, "InvalidRequestContentException", f"Could not parse request body into json: {error}")
    if kind == "DryRun":
        return HttpResponse(204, [], b"")
    if kind == "Event":
        return HttpResponse(202, [("x-amzn-RequestId", keep(function.declared.name, payload or b"{}"))], b"")
    if kind != "RequestResponse":
        return _error(400, "InvalidParameterValueException", f"no such invocation type: {kind}")
    return _called(function, payload or b"{}", headers.get("x-amz-client-context"))


def _called(function: Function, payload: bytes, client_context: str | None) -> HttpResponse:
    try:
        context = base64.b64decode(client_context, validate=True).decode("ascii") if client_context else None
    except ValueError:
        return _error(400, "InvalidRequestContentException", "Client context must be Base64 of JSON in ASCII")
    try:
        outcome = function.invoke(payload, client_context=context)
    except Throttled:
        return _error(429, "TooManyRequestsException", "Rate Exceeded.")
    except Closing:
        return _error(503, "ServiceException", "The machine room is being shut.")
    answer = [("content-type", "application/json"), ("X-Amz-Executed-Version", "$LATEST")]
    if outcome.failed:
        answer.append(("X-Amz-Function-Error", "Unhandled"))
    return HttpResponse(200, answer, outcome.payload)


def _plain(name: str) -> str:
    """The function's name out of a name, `name:qualifier` or an ARN."""
    parts = name.split(":")
    return parts[6] if name.startswith("arn:") and len(parts) > 6 else parts[0]


def _error(status: int, kind: str, message: str) -> HttpResponse:
    body = json.dumps({"Type": "User" if status < 500 else "Service", "Message": message}).encode()
    return HttpResponse(status, [("content-type", "application/json"), ("x-amzn-ErrorType", kind)], body)
