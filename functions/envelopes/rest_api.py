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
            headers=_joined(event.get("multiValueHeaders")) | gateway.headers_of(event),
            body=gateway.body_of(event),
            query=urlencode(event.get("multiValueQueryStringParameters") or {}, doseq=True),
            request_id=str(context.get("requestId") or ""),
        )

    def answer(self, response: Response) -> dict[str, Any]:
        return gateway.answer(response)

    def encoded_bytes(self, response: Response) -> int:
        return gateway.encoded_bytes(response)


def _joined(headers: Any) -> dict[str, str]:
    """Repeated headers as one, joined by commas (RFC 9110, 5.3)."""
    if not headers:
        return {}
    if not isinstance(headers, dict) or not all(isinstance(values, list) for values in headers.values()):
        raise EventError("the event's multiValueHeaders are not an object of lists")
    return {name.lower(): ",".join(str(value) for value in values) for name, values in headers.items()}
