"""Application Load Balancer, its target a function; with multi-value headers or without.

Source: Elastic Load Balancing, "Use Lambda functions as targets of an Application Load Balancer".
"""

from typing import Any

from functions.envelopes import gateway
from functions.messages import Request, Response


class LoadBalancer:
    """lists: the target group has multi-value headers on, and then wants them in the answer too."""

    limit = 1024 * 1024  # source: the same page, "Limits"
    takes_binary = True

    def __init__(self, *, lists: bool) -> None:
        self._lists = lists

    def matches(self, event: Any) -> bool:
        context = event.get("requestContext") if isinstance(event, dict) else None
        return isinstance(context, dict) and "elb" in context and ("multiValueHeaders" in event) is self._lists

    def request(self, event: dict[str, Any]) -> Request:
        return Request(
            method=gateway.text_of(event, "httpMethod").upper(),
            path=gateway.text_of(event, "path"),
            headers=gateway.joined_headers_of(event) if self._lists else gateway.headers_of(event),
            body=gateway.body_of(event),
        )

    def answer(self, response: Response) -> dict[str, Any]:
        from http import HTTPStatus  # only here, since only a load balancer wants a phrase

        answer = gateway.answer(response)
        answer["statusDescription"] = f"{response.status} {HTTPStatus(response.status).phrase}"
        if self._lists:
            answer["multiValueHeaders"] = {name: [value] for name, value in answer.pop("headers").items()}
        return answer
