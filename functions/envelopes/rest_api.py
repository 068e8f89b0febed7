"""API Gateway REST API, Lambda proxy integration (payload format 1.0).

Source: API Gateway Developer Guide, "Input format of a Lambda function for proxy integration".
"""

from typing import Any
from urllib.parse import urlencode

from functions.envelopes import gateway
from functions.errors import EventError
from functions.messages import Request, Response


class RestApi:
    def matches(self, event: Any) -> bool:
        return isinstance(event, dict) and "httpMethod" in event and "requestContext" in event

    def request(self, event: dict[str, Any]) -> Request:
        context = event["requestContext"]
        if not isinstance(context, dict):
            raise EventError("the event's requestContext is not an object")
        return Request(
            method=gateway.text_of(event, "httpMethod").upper(),
            path=gateway.text_of(event, "path"),
            headers=gateway.headers_of(event) | _joined(event),
            body=gateway.body_of(event),
            query=urlencode(_lists(event, "multiValueQueryStringParameters"), doseq=True),
            request_id=str(context.get("requestId") or ""),
        )

    def answer(self, response: Response) -> dict[str, Any]:
        return gateway.answer(response)

    def encoded_bytes(self, response: Response) -> int:
        return gateway.encoded_bytes(response)


def _joined(event: dict[str, Any]) -> dict[str, str]:
    """Repeated headers as one, joined by commas (RFC 9110, 5.3)."""
    lists = _lists(event, "multiValueHeaders")
    return {name.lower(): ",".join(str(value) for value in values) for name, values in lists.items()}


def _lists(event: dict[str, Any], key: str) -> dict[str, list[Any]]:
    """A part of the event that holds several values per name; none where it is absent or null."""
    found = event.get(key) or {}
    if not isinstance(found, dict) or not all(isinstance(values, list) for values in found.values()):
        raise EventError(f"the event's {key} are not an object of lists")
    return found
