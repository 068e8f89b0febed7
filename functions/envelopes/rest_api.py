"""API Gateway REST API, Lambda proxy integration (payload format 1.0).

Source: API Gateway Developer Guide, "Input format of a Lambda function for proxy integration".
"""

from typing import Any

from functions.envelopes import gateway
from functions.messages import Request, Response


class RestApi:
    limit = gateway.LIMIT
    takes_binary = False  # unless the API lists binary media types, base64 reaches the client as it is

    def matches(self, event: Any) -> bool:
        return isinstance(event, dict) and "httpMethod" in event and "requestContext" in event

    def request(self, event: dict[str, Any]) -> Request:
        return Request(
            method=gateway.text_of(event, "httpMethod").upper(),
            path=gateway.text_of(event, "path"),
            headers=gateway.headers_of(event) | gateway.joined_headers_of(event),
            body=gateway.body_of(event),
        )

    def answer(self, response: Response) -> dict[str, Any]:
        return gateway.answer(response)
