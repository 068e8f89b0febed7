"""API Gateway REST API, Lambda proxy integration (payload format 1.0).

Source: API Gateway Developer Guide, "Input format of a Lambda function for proxy integration".
"""

from typing import Any

from functions.envelopes import gateway
from functions.errors import EventError
from functions.messages import Request, Response


class RestApi:
    def matches(self, event: Any) -> bool:
        return isinstance(event, dict) and "httpMethod" in event and "requestContext" in event

    def request(self, event: dict[str, Any]) -> Request:
        return Request(
            method=gateway.text_of(event, "httpMethod").upper(),
            path=gateway.text_of(event, "path"),
            headers=gateway.headers_of(event) | _joined(event),
            body=gateway.body_of(event),
        )

    def answer(self, response: Response) -> dict[str, Any]:
        return gateway.answer(response)


def _joined(event: dict[str, Any]) -> dict[str, str]:
    """Repeated headers as one, joined by commas (RFC 9110, 5.3)."""
    lists = event.get("multiValueHeaders") or {}
    if not isinstance(lists, dict) or not all(isinstance(values, list) for values in lists.values()):
        raise EventError("the event's multiValueHeaders are not an object of lists")
    return gateway.headers({name: ",".join(str(value) for value in values) for name, values in lists.items()})
