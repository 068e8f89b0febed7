"""The one public port: API Gateway for everybody, Lambda's Invoke for boto3, the webhook for MinIO; it must not know
how functions are run or where events are kept.
"""

import json
import uuid
from collections.abc import Callable, Mapping

from local import api_gateway, lambda_api
from local.api_gateway import HttpRequest, HttpResponse, NoResponse
from local.connection import BadRequest, BodyTooLarge, Connection, Server
from local.function import Function
from local.invocation import REQUEST_BYTES, Closing, Outcome, Throttled

BODY_BYTES = 10 * 1024 * 1024  # the most that an HTTP API takes; the event it becomes has its own limit
WEBHOOK = "/events"


class Front(Server):
    """predict answers HTTP; batch is told of objects.

    keep: stores an asynchronous event for the function of this name and gives its id; raises OSError.
    tell: method, target, status and, where a function was called, its outcome.
    """

    def __init__(self, host: str, port: int, predict: Function, batch: Function, keep: Callable[[str, bytes], str],
                 tell: Callable[[str, str, int, Outcome | None], None]) -> None:  # fmt: skip
        self.predict = predict
        self.batch = batch
        self.keep = keep
        self.tell = tell
        self.functions: Mapping[str, Function] = {each.declared.name: each for each in (predict, batch)}
        super().__init__(host, port, FrontConnection)


class FrontConnection(Connection):
    """One client's connection."""

    server: Front

    def answer_request(self) -> None:
        outcome: Outcome | None = None
        try:
            body = self.body(BODY_BYTES)
        except BodyTooLarge:
            response = _message(413, "Request Entity Too Large")
        except BadRequest:
            response = _message(400, "Bad Request")
        else:
            try:
                if self.path.startswith(lambda_api.ROOT) and self.command == "POST":
                    headers = {name.lower(): value for name, value in self.headers.items()}
                    response = lambda_api.invoke(self.path, headers, body, self.server.functions, self.server.keep)
                elif self.path.rstrip("/") == WEBHOOK and self.command in ("POST", "HEAD"):
                    response = self._webhook(body)
                else:
                    response, outcome = self._predict(body)
            except OSError as error:
                response = _message(503, f"The event could not be kept: {error.strerror or error}")
        if self.headers.get("connection", "").lower() == "close":
            self.close_connection = True
        self.server.tell(self.command, self.path, response.status, outcome)
        self.reply(response.status, response.body, response.headers)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """The function itself answers for a method that it does not know: the server looks for `do_<method>`."""
        if name.startswith("do_"):
            return self.answer_request
        raise AttributeError(name)

    def _predict(self, body: bytes) -> tuple[HttpResponse, Outcome | None]:
        host, port = self.client_address[0], self.server.port
        request = HttpRequest(
            self.command, self.path, list(self.headers.items()), body, host, port, self.request_version
        )
        event = api_gateway.event(request)
        if len(event) > REQUEST_BYTES:
            return _message(413, "Request Entity Too Large"), None
        try:
            outcome = self.server.predict.invoke(event)
        except (Throttled, Closing):
            return _message(503, "Service Unavailable"), None
        if outcome.failed:
            return _message(500, "Internal Server Error"), outcome
        try:
            response = api_gateway.response(outcome.payload)
        except NoResponse:
            return _message(500, "Internal Server Error"), outcome
        response.headers.append(("apigw-requestid", uuid.uuid4().hex[:15] + "="))
        return response, outcome

    def _webhook(self, body: bytes) -> HttpResponse:
        """MinIO's notification: answered only once it is kept, since MinIO then forgets it. It asks by HEAD before."""
        if self.command == "HEAD":
            return HttpResponse(200, [], b"")
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("Records"), list):
            return _message(400, "Not a storage event: no Records")
        self.server.keep(self.server.batch.declared.name, body)
        return HttpResponse(200, [("content-type", "application/json")], b"{}")


def _message(status: int, text: str) -> HttpResponse:
    body = json.dumps({"message": text}, separators=(",", ":")).encode()
    return HttpResponse(status, [("content-type", "application/json")], body)
