"""API Gateway HTTP API, payload format 2.0 (also what Lambda function URLs send).

Source: API Gateway Developer Guide, "AWS Lambda integration payload format".
"""

from typing import Any

from functions.envelopes import gateway
from functions.errors import EventError
from functions.messages import Request, Response


class HttpApi:
    limit = gateway.LIMIT
    takes_binary = True

    def matches(self, event: Any) -> bool:
        return isinstance(event, dict) and event.get("version") == "2.0" and "requestContext" in event

    def request(self, event: dict[str, Any]) -> Request:
        context = event["requestContext"]
        http = context.get("http") if isinstance(context, dict) else None
        if not isinstance(http, dict):
            raise EventError("the event's requestContext has no http")
        return Request(
            method=gateway.text_of(http, "method").upper(),
            path=_without_stage(gateway.text_of(event, "rawPath"), context.get("stage")),
            headers=gateway.headers_of(event),
            body=gateway.body_of(event),
        )

    def answer(self, response: Response) -> dict[str, Any]:
        return gateway.answer(response)


def _without_stage(path: str, stage: Any) -> str:
    """A named stage leads the raw path; `$default` does not."""
    prefix = f"/{stage}"
    if path == prefix or path.startswith(prefix + "/"):
        return path[len(prefix) :] or "/"
    return path
